import {
  makePassword,
  parseAccountFile,
  renderAccountFile,
} from "../../../../../../provider/mysql/instance/accounts/management";
import { parseOptionFile, readSettings } from "../../../../../../provider/mysql/options/file";

test("the password's file is one that every client of MySQL reads", () => {
  const password = makePassword();
  expect(password).toMatch(/^[\w-]{32}$/);
  expect(makePassword()).not.toBe(password);
  const text = renderAccountFile(password);
  expect(parseAccountFile(text)).toBe(password);
  const settings = readSettings(parseOptionFile(text), ["client"]);
  expect(Object.fromEntries(settings)).toEqual({ user: ["sluice"], password: [password] });
  expect(parseAccountFile("")).toBeUndefined();
});
