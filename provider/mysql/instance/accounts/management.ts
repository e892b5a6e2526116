import { randomBytes } from "node:crypto";
import { isProblem, SluiceError } from "../../../errors";
import type { Host } from "../../../host/host";
import { withMysql } from "../../client";
import type { MysqlClient, MysqlReader } from "../../reader";
import { renderOption } from "../../options/file";
import { withWrites } from "../../read-only";
import { secret, sql } from "../../sql";
import { accountKind } from "../init-file";
import type { Instance } from "../instance";
import { managementAccount } from "../layout";

const passwordBytes = 24; // 192 bits, in 32 characters: more than caching_sha2_password's own 160-bit nonce

export const makePassword = (): string => randomBytes(passwordBytes).toString("base64url");

/** The option file that clients and our driver read the password from. */
export const renderAccountFile = (password: string): string =>
  `[client]\n${renderOption("user", managementAccount)}\n${renderOption("password", password)}\n`;

export const parseAccountFile = (text: string): string | undefined => /^password = (.+)$/m.exec(text)?.[1];

/** Gives root@localhost this password, outside the binary log. May be repeated. */
export async function setRootPassword(mysql: MysqlClient, password: string): Promise<void> {
  const root = sql`root@localhost`;
  await withWrites(mysql, async () => {
    await mysql.execute(sql`CREATE USER IF NOT EXISTS ${root} ACCOUNT LOCK`);
    await mysql.execute(sql`GRANT ALL PRIVILEGES ON *.* TO ${root} WITH GRANT OPTION`);
    const identified = sql`IDENTIFIED WITH caching_sha2_password BY ${secret(password, "rootPassword")}`;
    await mysql.execute(sql`ALTER USER ${root} ${identified} ACCOUNT UNLOCK PASSWORD EXPIRE NEVER`);
  });
}

/** root@localhost as on a server that was never given a password for it: the unix user root, or locked. May be repeated. */
export async function takeRootPassword(mysql: MysqlClient, instance: Pick<Instance, "binaries">): Promise<void> {
  const closed =
    accountKind(instance) === "socket" ? sql`IDENTIFIED WITH auth_socket ACCOUNT UNLOCK` : sql`ACCOUNT LOCK`;
  await withWrites(mysql, () => mysql.execute(sql`ALTER USER IF EXISTS root@localhost ${closed}`));
}

/** Whether root@localhost logs in with this password; with auth_socket any password would do, so that counts as no. */
export async function rootPasswordMatches(
  host: Pick<Host, "name" | "dial">,
  server: { readonly socket?: string | undefined },
  password: string,
): Promise<boolean> {
  const address = { socket: server.socket, user: "root", password };
  const readPlugin = sql`SELECT plugin FROM mysql.user WHERE user = 'root' AND host = 'localhost'`;
  try {
    const row = await withMysql(address, host, (mysql) => mysql.queryRow<{ plugin: string }>(readPlugin));
    return row !== undefined && row.plugin !== "auth_socket";
  } catch (error) {
    if (isProblem(error, "SERVER_LOGIN_REFUSED", "SERVER_PRIVILEGE_MISSING")) return false;
    throw error;
  }
}

/** Throws unless this session is the management account's own. */
export async function requireManagement(
  mysql: MysqlReader,
  instance: Pick<Instance, "layout" | "object">,
): Promise<void> {
  const row = await mysql.queryRow<{ user: string; data: string }>(
    sql`SELECT CURRENT_USER() AS user, @@GLOBAL.datadir AS data`,
  );
  const wanted = { user: `${managementAccount}@localhost`, data: `${instance.layout.data}/` };
  if (row?.user === wanted.user && row.data === wanted.data) return;
  throw new SluiceError({
    code: "SERVER_NOT_ANSWERING",
    object: instance.object,
    what: "another server or another account answers",
    found: `${String(row?.user)} on ${String(row?.data)}`,
    needs: `${wanted.user} on ${wanted.data}`,
  });
}
