import { SluiceError } from "../../errors";
import type { MysqlClient } from "../reader";
import { sql } from "../sql";

const lockWithinSeconds = 30; // the work under it takes milliseconds; half of the client's limit for a statement

/** Lets one run at a time change one thing of a server; ends with the session. */
export async function withBriefLock<T>(mysql: MysqlClient, name: string, work: () => Promise<T>): Promise<T> {
  const lock = await mysql.queryRow<{ taken: number }>(sql`SELECT GET_LOCK(${name}, ${lockWithinSeconds}) AS taken`);
  if (lock?.taken !== 1)
    throw new SluiceError({
      code: "TIMEOUT_REACHED",
      object: `server ${mysql.name}`,
      what: `waited ${String(lockWithinSeconds)} s for the lock ${name}, another session of Sluice holds it`,
      fix: `see who holds it: SELECT IS_USED_LOCK('${name}')`,
    });
  try {
    return await work();
  } finally {
    await mysql.query(sql`SELECT RELEASE_LOCK(${name})`);
  }
}
