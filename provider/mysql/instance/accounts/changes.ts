import { isProblem, SluiceError } from "../../../errors";
import {
  grantsBeyond,
  parseShownGrants,
  renderGrant,
  renderRevoke,
  sayGrant,
  type GrantNames,
  type ShownGrants,
} from "../../privileges/grant";
import { isPasswordOf } from "./password-hash";
import type { Account } from "../../privileges/privileges";
import { withWrites } from "../../read-only";
import type { MysqlClient, MysqlReader } from "../../reader";
import { keyword, secret, sql, type Statement } from "../../sql";
import {
  changesOf,
  grantsOf,
  isSameAccount,
  parseSaid,
  requireOwnAccounts,
  type AccountPurpose,
  type DeclaredAccount,
  type SeenAccount,
  type TlsRequirement,
} from "./accounts";

const asAccount = ({ name, host }: Pick<DeclaredAccount, "name" | "host">): Account => ({ user: name, host });

interface AccountRow {
  readonly name: string;
  readonly host: string;
  readonly plugin: string;
  readonly hash: string;
  readonly tls: string;
  readonly locked: string;
  readonly expired: string;
  readonly server: string | null;
  readonly purpose: string | null;
}

/**
 * Accounts that Sluice created, and those of the same name as a declared one. A mark that was copied with the data
 * names another server.
 */
export async function readAccounts(
  mysql: MysqlReader,
  declared: readonly DeclaredAccount[],
): Promise<readonly SeenAccount[]> {
  const rows = await mysql.query<AccountRow>(
    sql`SELECT User AS name, Host AS host, plugin, HEX(authentication_string) AS hash, ssl_type AS tls, account_locked AS locked, password_expired AS expired, User_attributes->>'$.metadata.sluice.server' AS server, User_attributes->>'$.metadata.sluice.purpose' AS purpose FROM mysql.user ORDER BY User, Host`,
  );
  const { uuid, isPattern, ignoresCase } = await readServer(mysql);
  const seen: SeenAccount[] = [];
  for (const row of rows) {
    const wanted = declared.find((one) => isSameAccount(one, row));
    const purpose = row.server === uuid ? (row.purpose as AccountPurpose) : null;
    if (wanted === undefined && purpose === null) continue;
    const { grants, others } = await readGrants(mysql, row, isPattern);
    seen.push({
      name: row.name,
      host: row.host,
      purpose,
      grants: grants.map(sayGrant),
      others,
      tls: tlsOf(row.tls),
      isUsable: wanted === undefined ? null : isUsable(row, wanted.password),
      ...(ignoresCase && { ignoresCase }),
    });
  }
  return seen;
}

interface ServerTraits extends GrantNames {
  readonly uuid: string;
  /** The database of a grant is a pattern; with partial_revokes it is a name. */
  readonly isPattern: boolean;
}

export async function readServer(mysql: MysqlReader): Promise<ServerTraits> {
  const row = await mysql.queryRow<{ uuid: string; revokes: number; folding: number }>(
    sql`SELECT @@GLOBAL.server_uuid AS uuid, @@GLOBAL.partial_revokes AS revokes, @@GLOBAL.lower_case_table_names AS folding`,
  );
  return { uuid: row?.uuid ?? "", isPattern: row?.revokes !== 1, ignoresCase: (row?.folding ?? 0) !== 0 };
}

async function readGrants(
  mysql: MysqlReader,
  { name, host }: Pick<DeclaredAccount, "name" | "host">,
  isPattern: boolean,
): Promise<ShownGrants> {
  const rows = await mysql.query<Record<string, string>>(sql`SHOW GRANTS FOR ${name}@${host}`);
  return parseShownGrants(
    rows.map((row) => Object.values(row)[0] ?? ""),
    isPattern,
  );
}

const tlsOf = (type: string): TlsRequirement => (type === "" ? "off" : type === "ANY" ? "required" : "certificate");

const isUsable = ({ plugin, hash, locked, expired }: AccountRow, password: string): boolean =>
  locked === "N" &&
  expired === "N" &&
  plugin === "caching_sha2_password" &&
  isPasswordOf(Buffer.from(hash, "hex"), password);

/** Makes the accounts as declared, outside the binary log. May be repeated. */
export async function changeAccounts(
  mysql: MysqlClient,
  object: string,
  declared: readonly DeclaredAccount[],
): Promise<void> {
  const seen = await readAccounts(mysql, declared);
  requireOwnAccounts(object, declared, seen);
  const server = await readServer(mysql);
  const statements = [
    ...declared.flatMap((account) => {
      const found = seen.find((one) => isSameAccount(account, one));
      return found === undefined ? creation(account, server) : alteration(account, found, server);
    }),
    ...seen
      .filter((one) => one.purpose === "declared" && !declared.some((account) => isSameAccount(account, one)))
      .map((one) => sql`DROP USER IF EXISTS ${one.name}@${one.host}`),
  ];
  if (statements.length === 0) return;
  await withWrites(mysql, async () => {
    for (const statement of statements) await executeNaming(mysql, object, statement);
  });
}

/** A grant on a table that is not there, a privilege that this server does not have: the statement says which. */
async function executeNaming(mysql: MysqlClient, object: string, statement: Statement): Promise<void> {
  try {
    await mysql.execute(statement);
  } catch (error) {
    if (!isProblem(error, "SERVER_QUERY_FAILED")) throw error;
    throw new SluiceError({
      ...error.problem,
      object,
      what: `the server refused an account as declared: ${error.problem.what}`,
      fix: "correct `accounts`",
    });
  }
}

const identified = ({ name, password }: DeclaredAccount): Statement =>
  sql`IDENTIFIED WITH caching_sha2_password BY ${secret(password, `password of ${name}`)}`;

const requirements: Readonly<Record<TlsRequirement, Statement>> = {
  required: keyword("SSL"),
  certificate: keyword("X509"),
  off: keyword("NONE"),
};

/** Made locked, with its mark in the same statement, and unlocked when it has all that it should have. */
function creation(account: DeclaredAccount, server: ServerTraits): readonly Statement[] {
  const user = sql`${account.name}@${account.host}`;
  return [
    sql`CREATE USER ${user} ${identified(account)} REQUIRE ${requirements[account.tls]} PASSWORD EXPIRE NEVER ACCOUNT LOCK ATTRIBUTE ${markOf(server, "declared")}`,
    ...grantsOf(account).map((grant) => renderGrant(grant, asAccount(account), server.isPattern)),
    sql`ALTER USER ${user} ACCOUNT UNLOCK`,
  ];
}

function alteration(account: DeclaredAccount, found: SeenAccount, server: ServerTraits): readonly Statement[] {
  if (changesOf(account, found, false).length === 0) return [];
  const user = sql`${account.name}@${account.host}`;
  const [wanted, there] = [grantsOf(account), found.grants.map(parseSaid)];
  const afresh = found.others.length > 0;
  const missing = afresh ? wanted : grantsBeyond(wanted, there, server);
  const beyond = afresh ? [] : grantsBeyond(there, wanted, server);
  return [
    sql`ALTER USER ${user} ATTRIBUTE ${markOf(server, "declared")}`,
    ...(afresh ? [...rolesOf(found).map((role) => sql`REVOKE ${role} FROM ${user}`), revokeAll(user)] : []),
    ...beyond.map((grant) => renderRevoke(grant, asAccount(account), server.isPattern)),
    ...missing.map((grant) => renderGrant(grant, asAccount(account), server.isPattern)),
    sql`ALTER USER ${user} ${found.isUsable === false ? identified(account) : sql``} REQUIRE ${requirements[account.tls]} PASSWORD EXPIRE NEVER ACCOUNT UNLOCK`,
  ];
}

const revokeAll = (user: Statement): Statement => sql`REVOKE ALL PRIVILEGES, GRANT OPTION FROM ${user}`;

/** `` GRANT `reader`@`%`,`writer`@`%` TO ... ``: names as the server quotes them. */
const rolesOf = ({ others }: SeenAccount): readonly Statement[] =>
  others.flatMap((row) => {
    const list = /^GRANT ((?:`(?:``|[^`])+`@`[^`]*`,?)+) TO /.exec(row)?.[1] ?? "";
    return [...list.matchAll(/`((?:``|[^`])+)`@`([^`]*)`/g)].map(
      ([, role = "", host = ""]) => sql`${role.replaceAll("``", "`")}@${host}`,
    );
  });

/**
 * The mark of an account. It names this server, so that the mark of an account that was copied with the data is
 * ignored.
 */
export const markOf = ({ uuid }: Pick<ServerTraits, "uuid">, purpose: AccountPurpose): string =>
  JSON.stringify({ sluice: { purpose, server: uuid } });
