import { createHash } from "node:crypto";
import { secret, sql, type Statement } from "../sql";
import type { Instance } from "./instance";
import { managementAccount } from "./layout";

/** How the management account is authenticated. */
export type Account = { readonly kind: "socket" } | { readonly kind: "password"; readonly password: string };

/** Without a secret if the server can ask the kernel for the client's unix user. */
export const accountKind = ({ binaries }: Pick<Instance, "binaries">): Account["kind"] =>
  binaries.hasAuthSocket ? "socket" : "password";

/**
 * The statements mysqld runs at every start, before it accepts connections and before super_read_only is on (tried:
 * 9.7). One a line. An error in one ends the file and not the server, so the statement that must not fail comes first.
 *
 * - The data may be a copy of another server's (CLONE): an account of that name is replaced.
 * - `--initialize-insecure` leaves root@localhost without a password: it becomes the unix user root, or is locked.
 */
export function renderInit(account: Account, instance: Pick<Instance, "runtime">): string {
  const { connectedUser } = instance.runtime;
  const sluice = sql`${managementAccount}@localhost`;
  const identified =
    account.kind === "socket"
      ? sql`IDENTIFIED WITH auth_socket AS ${connectedUser}`
      : sql`IDENTIFIED BY ${secret(account.password, "management password")}`;
  const statements = [
    sql`SET SESSION sql_mode = ''`,
    sql`SET SESSION sql_log_bin = 0`,
    ...whereRootIsOpen(sql`ALTER USER root@localhost ACCOUNT LOCK`),
    sql`DROP USER IF EXISTS ${sluice}`,
    sql`CREATE USER ${sluice} ${identified}`,
    sql`GRANT ALL PRIVILEGES ON *.* TO ${sluice} WITH GRANT OPTION`,
    ...(account.kind === "socket"
      ? whereRootIsOpen(sql`ALTER USER root@localhost IDENTIFIED WITH auth_socket ACCOUNT UNLOCK`)
      : []),
  ];
  return statements.map(({ text }) => `${text};\n`).join("");
}

/** Identifies an init file; holds no password, so that states and plans may. */
export interface InitFile {
  /** The unix user that the management account is; null if it has a password. */
  readonly osUser: string | null;
  readonly digest: string;
}

export function describeInit(text: string): InitFile {
  const osUser = /IDENTIFIED WITH auth_socket AS '((?:[^']|'')*)';/.exec(text)?.[1]?.replaceAll("''", "'") ?? null;
  // Every password follows a BY, at the end of its line.
  const shown = text.replaceAll(/\bBY\b.*/gi, "BY");
  return { osUser, digest: createHash("sha256").update(shown).digest("hex") };
}

/** The text of the init file. */
export const initFileOf = (instance: Pick<Instance, "runtime" | "binaries">): InitFile =>
  describeInit(
    renderInit(accountKind(instance) === "socket" ? { kind: "socket" } : { kind: "password", password: "" }, instance),
  );

/** Runs the statement if root@localhost has a password plugin and no password. */
function whereRootIsOpen(statement: Statement): readonly Statement[] {
  const plugins = ["caching_sha2_password", "mysql_native_password", "sha256_password"];
  return [
    sql`SET @sluice = (SELECT IF(COUNT(*) = 0, 'DO 0', ${statement.text}) FROM mysql.user WHERE user = 'root' AND host = 'localhost' AND authentication_string = '' AND plugin IN (${plugins}))`,
    sql`PREPARE sluice FROM @sluice`,
    sql`EXECUTE sluice`,
    sql`DEALLOCATE PREPARE sluice`,
  ];
}
