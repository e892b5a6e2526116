import { SluiceError } from "../../../../provider/errors";
import { sayUnreached } from "../../../../provider/mysql/unreachable";

const place = { object: "staging database shop", endpoint: "db1.example.net:3306", through: "198.18.159.21" };
const unreached = (found: string) =>
  sayUnreached(
    new SluiceError({ code: "SOURCE_UNREACHABLE", object: "server x", what: "the server does not answer", found }),
    place,
  ).message.split("\n")[0];

test.each([
  ["(SSH) Channel open failure: Temporary failure in name resolution", "the name does not resolve there"],
  ["(SSH) Channel open failure: No route to host", "there is no route to it from there"],
  ["(SSH) Channel open failure: Connection refused", "nothing listens on that port"],
  ["Too many connections (error 1040)", "the server does not answer"],
])("a source that is not reached, %s: the object, both ends and the reason stand in the first line", (found, why) => {
  expect(unreached(found)).toBe(
    `staging database shop: cannot reach its source db1.example.net:3306 from 198.18.159.21: ${why} (SOURCE_UNREACHABLE)`,
  );
});

test("another error of a source is left as it is", () => {
  const refused = new SluiceError({
    code: "SOURCE_LOGIN_REFUSED",
    object: "server x",
    what: "the server refuses the user",
  });
  expect(sayUnreached(refused, place)).toBe(refused);
});
