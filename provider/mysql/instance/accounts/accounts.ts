import { SluiceError } from "../../../errors";
import type { Difference } from "../../../plan/plan";
import { grantsBeyond, parseGrant, sayGrant, type Grant } from "../../privileges/grant";
import { hasUnknown, isUnknown } from "../../../schema/unknown";
import { managementAccount } from "../layout";

/** An account as a program declares it. */
export interface DeclaredAccount {
  readonly name: string;
  readonly host: string;
  readonly password: string;
  readonly grants: readonly string[];
  readonly tls: TlsRequirement;
  readonly adopt: boolean;
}

export type TlsRequirement = "required" | "certificate" | "off";

/** `declared`: by the program; `definer`: of views and programs that were brought. */
export type AccountPurpose = "declared" | "definer";

/** An account as the server has it. No password. */
export interface SeenAccount {
  readonly name: string;
  readonly host: string;
  /** Null if Sluice did not create the account. */
  readonly purpose: AccountPurpose | null;
  readonly grants: readonly string[];
  /** Rows of SHOW GRANTS that Sluice never creates: roles, columns, WITH GRANT OPTION. */
  readonly others: readonly string[];
  readonly tls: TlsRequirement;
  /** It can log in: not locked, not expired, and its password is the declared one. Null if none is declared. */
  readonly isUsable: boolean | null;
  /** The server ignores case in the names of its grants; absent if it does not, and in a state of an earlier version. */
  readonly ignoresCase?: boolean;
}

export const nameOf = ({ name, host }: Pick<DeclaredAccount, "name" | "host">): string => `${name}@${host}`;

export const isSameAccount = (
  one: Pick<DeclaredAccount, "name" | "host">,
  other: Pick<DeclaredAccount, "name" | "host">,
) => one.name === other.name && one.host.toLowerCase() === other.host.toLowerCase();

/** Accounts of the server itself, and Sluice's management account. */
const reserved: ReadonlySet<string> = new Set([
  "root@localhost",
  `${managementAccount}@localhost`,
  "mysql.sys@localhost",
  "mysql.session@localhost",
  "mysql.infoschema@localhost",
]);

/** Problems as `path: what`, for a schema's relations. */
export function refusedAccounts(accounts: readonly DeclaredAccount[]): readonly string[] {
  return accounts.flatMap((account, at) => {
    const place = `accounts.${String(at)}`;
    const twin = accounts.findIndex((one) => isSameAccount(one, account));
    const isReserved = reserved.has(nameOf({ ...account, host: account.host.toLowerCase() }));
    return [
      ...(isReserved
        ? [`${place}: ${nameOf(account)} belongs to the server itself; for root, set \`rootPassword\``]
        : []),
      ...(twin < at ? [`${place}: is the same account as accounts.${String(twin)}`] : []),
      ...account.grants.flatMap((text, index) => {
        const grant = parseGrant(text);
        return "problem" in grant ? [`${place}.grants.${String(index)}: ${grant.problem}`] : [];
      }),
    ];
  });
}

/** The grants that `check` has validated. */
export const grantsOf = ({ grants }: Pick<DeclaredAccount, "grants">): readonly Grant[] =>
  grants.map(parseGrant).filter((grant): grant is Grant => !("problem" in grant));

/** The differences, in words; never a password. `isRotated`: a preview knows only that the program has another one. */
export function compareAccounts(
  declared: readonly DeclaredAccount[],
  seen: readonly SeenAccount[],
  isRotated: (account: DeclaredAccount) => boolean = () => false,
): readonly Difference[] {
  const dropped = seen.filter(
    (one) => one.purpose === "declared" && !declared.some((account) => isSameAccount(account, one)),
  );
  return [
    ...declared.flatMap((account) => {
      const found = seen.find((one) => isSameAccount(account, one));
      return found === undefined ? [newAccount(account)] : changesOf(account, found, isRotated(account));
    }),
    ...dropped.map((one) => ({ property: propertyOf(one), from: sayGrants(one.grants), to: "nothing" })),
  ];
}

/** Of declared accounts, those that a preview knows all about but the password. */
export const knownAccounts = (declared: unknown): readonly DeclaredAccount[] =>
  Array.isArray(declared)
    ? (declared as readonly DeclaredAccount[]).filter(
        (account) => !isUnknown(account) && !hasUnknown({ ...account, password: "" }),
      )
    : [];

/**
 * What has to change on a server that was seen before. In a preview the `earlier` passwords are compared with the declared
 * ones; during `up` the server was asked.
 */
export function accountDifferences(
  declared: unknown,
  { seen, earlier }: { readonly seen: readonly SeenAccount[] | null; readonly earlier: unknown },
): readonly Difference[] {
  if (seen === null || !Array.isArray(declared)) return [];
  const known = knownAccounts(declared);
  const before = Array.isArray(earlier) ? (earlier as readonly DeclaredAccount[]) : [];
  const isRotated = (account: DeclaredAccount) =>
    before.some((one) => isSameAccount(one, account) && one.password !== account.password);
  // If the name of a declared account is not known yet, it is not known either which accounts are to be dropped.
  const isPartial = declared.length > known.length;
  const there = isPartial ? seen.filter((one) => known.some((account) => isSameAccount(account, one))) : seen;
  return compareAccounts(known, there, isRotated);
}

const propertyOf = (account: Pick<DeclaredAccount, "name" | "host">): string => `account ${nameOf(account)}`;

const sayGrants = (grants: readonly string[]): string => (grants.length === 0 ? "no grants" : grants.join("; "));

const newAccount = (account: DeclaredAccount): Difference => ({
  property: propertyOf(account),
  from: "nothing",
  to: sayGrants(grantsOf(account).map(sayGrant)),
});

export function changesOf(account: DeclaredAccount, found: SeenAccount, isRotated: boolean): readonly Difference[] {
  const property = propertyOf(account);
  const [wanted, there, names] = [
    grantsOf(account),
    found.grants.map(parseSaid),
    { ignoresCase: found.ignoresCase === true },
  ];
  const missing = grantsBeyond(wanted, there, names);
  const beyond = [...grantsBeyond(there, wanted, names), ...found.others];
  return [
    ...(found.purpose === "declared" ? [] : [{ property, from: "not created by Sluice", to: "taken over" }]),
    ...(missing.length + beyond.length === 0
      ? []
      : [
          {
            property: `${property} grants`,
            from: sayGrants([...found.grants, ...found.others]),
            to: sayGrants(account.grants),
          },
        ]),
    ...(found.tls === account.tls ? [] : [{ property: `${property} tls`, from: found.tls, to: account.tls }]),
    ...(found.isUsable === false || isRotated ? [{ property: `${property} password`, from: "", to: "changed" }] : []),
  ];
}

/** The statements of Sluice itself. */
export const parseSaid = (text: string): Grant => {
  const grant = parseGrant(text);
  return "problem" in grant ? { privileges: [], on: { kind: "TABLE", database: null, name: null } } : grant;
};

/** An existing account that Sluice did not create is taken over only if the program says so. */
export function requireOwnAccounts(
  object: string,
  declared: readonly DeclaredAccount[],
  seen: readonly SeenAccount[],
): void {
  const foreign = declared.filter(
    (account) => !account.adopt && seen.some((one) => isSameAccount(account, one) && one.purpose === null),
  );
  if (foreign.length === 0) return;
  throw new SluiceError({
    code: "OWNERSHIP_UNMARKED",
    object,
    what: `cannot declare ${foreign.length === 1 ? "the account" : "the accounts"} ${foreign.map(nameOf).join(", ")}, the server has ${foreign.length === 1 ? "it" : "them"} already`,
    found: "an account that was created by hand, or brought by a clone of the source",
    needs: "an account that this resource created",
    fix: "choose another `name` or `host`, drop the account on the server, or set `adopt: true` in its declaration: its password, grants and TLS requirement are then replaced",
  });
}

/** The accounts of the server, in the program's words: accounts that are as declared keep the text of the program. */
export const accountsAsSeen = (
  declared: readonly DeclaredAccount[],
  seen: readonly SeenAccount[],
): readonly DeclaredAccount[] => [
  ...declared.flatMap((account) => {
    const found = seen.find((one) => isSameAccount(account, one));
    if (found === undefined) return [];
    const differs = changesOf({ ...account, tls: found.tls }, { ...found, isUsable: true }, false).length > 0;
    return [
      {
        ...account,
        tls: found.tls,
        ...(differs && { grants: [...found.grants, ...found.others] }),
        ...(found.isUsable === false && { password: "(changed outside of Pulumi)" }),
      },
    ];
  }),
];
