import { SluiceError } from "../../../../../provider/errors";
import { requireAnswering } from "../../../../../provider/mysql/channel/refusals";
import { sayUnreached } from "../../../../../provider/mysql/fault/unreachable";

const place = {
  object: "staging database shop",
  endpoint: "db1.example.net:3306",
  through: { address: "198.18.159.21", user: "root" },
};
const unreached = (found: string) =>
  sayUnreached(
    new SluiceError({ code: "SOURCE_UNREACHABLE", object: "server x", what: "the server does not answer", found }),
    place,
  ).message.split("\n")[0];

test.each([
  ["(SSH) Channel open failure: Temporary failure in name resolution", "the name does not resolve there"],
  ["(SSH) Channel open failure: No route to host", "there is no route to it from there"],
  ["(SSH) Channel open failure: Connection refused", "nothing listens on that port"],
  ["sshd does not allow forwards", "sshd there does not allow forwards"],
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

test.each(["local", undefined] as const)("asked from %s, the place is called this machine", (through) => {
  const error = new SluiceError({ code: "SOURCE_UNREACHABLE", object: "server x", what: "no", found: "ECONNREFUSED" });
  expect(sayUnreached(error, { ...place, through }).problem).toMatchObject({
    what: "cannot reach its source db1.example.net:3306 from this machine: nothing listens on that port",
    fix: "check `source.address` and `source.port` as seen from this machine",
  });
});

test("where sshd forbids forwards, the fix is sshd's setting and not the address", () => {
  const found = "sshd does not allow forwards";
  const error = new SluiceError({ code: "SOURCE_UNREACHABLE", object: "server x", what: "no", found });
  expect(sayUnreached(error, place).problem.fix).toBe("set AllowTcpForwarding yes in sshd_config on 198.18.159.21");
});

test("a channel says it in the same words, and other errors of its source with what it cannot do", () => {
  const channel = { ...place, object: "channel shop" };
  const source = (code: "SOURCE_UNREACHABLE" | "SOURCE_LOGIN_REFUSED", what: string, found: string) => () =>
    requireAnswering(
      { source: null, sourceProblem: new SluiceError({ code, object: "server x", what, found }) },
      channel,
    );
  expect(source("SOURCE_UNREACHABLE", "the server does not answer", "Name or service not known")).toThrow(
    "channel shop: cannot reach its source db1.example.net:3306 from 198.18.159.21: the name does not resolve there (SOURCE_UNREACHABLE)",
  );
  expect(source("SOURCE_LOGIN_REFUSED", "the server refuses the user repl", "Access denied")).toThrow(
    "channel shop: cannot follow db1.example.net:3306: the server refuses the user repl (SOURCE_LOGIN_REFUSED)",
  );
});
