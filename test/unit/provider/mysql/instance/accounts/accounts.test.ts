import {
  compareAccounts,
  refusedAccounts,
  requireOwnAccounts,
  type DeclaredAccount,
  type SeenAccount,
} from "../../../../../../provider/mysql/instance/accounts/accounts";

const account = (changes: Partial<DeclaredAccount> = {}): DeclaredAccount => ({
  name: "reader",
  host: "10.%",
  password: "hidden",
  grants: ["SELECT ON shop.*"],
  tls: "required",
  adopt: false,
  ...changes,
});

const seen = (changes: Partial<SeenAccount> = {}): SeenAccount => ({
  name: "reader",
  host: "10.%",
  purpose: "declared",
  grants: ["SELECT ON shop.*"],
  others: [],
  tls: "required",
  isUsable: true,
  ...changes,
});

const compared = (declared: readonly DeclaredAccount[], there: readonly SeenAccount[], rotated = false) =>
  compareAccounts(declared, there, () => rotated).map(({ property, from, to }) => `${property}: ${from} -> ${to}`);

test("an account that is as declared changes nothing, however its grants are written", () => {
  expect(compared([account({ grants: ["select on `shop`.*"] })], [seen()])).toEqual([]);
});

test("names that differ in case only are the same where the server ignores case", () => {
  const declared = [account({ grants: ["SELECT ON Shop.*"] })];
  expect(compared(declared, [seen({ ignoresCase: true })])).toEqual([]);
  expect(compared(declared, [seen()])).toHaveLength(1);
});

test("every difference is said, and no password", () => {
  expect(compared([account()], [])).toEqual(["account reader@10.%: nothing -> SELECT ON shop.*"]);
  expect(compared([], [seen(), seen({ name: "old", purpose: "definer" })])).toEqual([
    "account reader@10.%: SELECT ON shop.* -> nothing",
  ]);
  const drifted = seen({
    purpose: null,
    grants: ["INSERT, SELECT ON shop.*"],
    others: ["GRANT `r`@`%` TO `reader`@`10.%`"],
    tls: "off",
    isUsable: false,
  });
  expect(compared([account()], [drifted])).toEqual([
    "account reader@10.%: not created by Sluice -> taken over",
    "account reader@10.% grants: INSERT, SELECT ON shop.*; GRANT `r`@`%` TO `reader`@`10.%` -> SELECT ON shop.*",
    "account reader@10.% tls: off -> required",
    "account reader@10.% password:  -> changed",
  ]);
  expect(compared([account()], [seen()], true)).toEqual(["account reader@10.% password:  -> changed"]);
});

test("what cannot be declared is refused by its path", () => {
  expect(
    refusedAccounts([
      account({ name: "root", host: "LOCALHOST" }),
      account(),
      account({ host: "10.%", grants: ["SELCT ON shop.*"] }),
    ]),
  ).toEqual([
    "accounts.0: root@LOCALHOST belongs to the server itself; for root, set `rootPassword`",
    "accounts.2: is the same account as accounts.1",
    "accounts.2.grants.0: SELCT is not a privilege; did you mean SELECT?",
  ]);
});

test("an account that Sluice did not create is taken over only if the program says so", () => {
  const foreign = [seen({ purpose: null })];
  expect(() => {
    requireOwnAccounts("server x", [account()], foreign);
  }).toThrow(/cannot declare the account reader@10.%, the server has it already \(OWNERSHIP_UNMARKED\)/);
  expect(() => {
    requireOwnAccounts("server x", [account({ adopt: true })], foreign);
    requireOwnAccounts("server x", [account()], [seen()]);
  }).not.toThrow();
});
