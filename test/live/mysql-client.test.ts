import { SluiceError } from "../../provider/errors";
import { closeHosts } from "../../provider/host/pool";
import type { ServerAddress } from "../../provider/mysql/address";
import { connectMysql, withMysql } from "../../provider/mysql/client";
import type { MysqlClient } from "../../provider/mysql/reader";
import { errnoOf } from "../../provider/mysql/fault/fault";
import {
  dumpNeeds,
  followNeeds,
  missingPrivileges,
  observeNeeds,
  parseAccount,
  parseGrants,
  renderGrants,
} from "../../provider/mysql/privileges/privileges";
import { id, secret, sql } from "../../provider/mysql/sql";
import {
  changeReplicationSource,
  channelTextRefusal,
  resetReplicaAll,
  showBinaryLogStatus,
} from "../../provider/mysql/terms";
import { sourceInLab, type SourceInLab } from "./mysql-lab";

let lab: SourceInLab;
/** Root on the source; what it does stays out of the binary log, so that no replica of another test sees it. */
let root: MysqlClient;

const testUser = "sluice_live";
const anyHost = "%";

beforeAll(async () => {
  lab = await sourceInLab();
  root = await connectMysql(lab.root, lab.host);
  await root.execute(sql`SET SESSION sql_log_bin = 0`);
});

afterAll(async () => {
  await root.execute(sql`DROP USER IF EXISTS ${testUser}@${anyHost}`);
  await root.close();
  await closeHosts();
});

async function createUser(password: string): Promise<ServerAddress> {
  await root.execute(sql`DROP USER IF EXISTS ${testUser}@${anyHost}`);
  await root.execute(sql`CREATE USER ${testUser}@${anyHost} IDENTIFIED BY ${secret(password, "password")}`);
  return { ...lab.tcp, user: testUser, password };
}

async function failure(work: Promise<unknown>): Promise<SluiceError> {
  const thrown: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof SluiceError) return thrown;
  throw new Error(`expected one of our errors, got ${String(thrown)}`);
}

const currentUser = async (address: ServerAddress, via = lab.staging) =>
  withMysql(address, via, (client) =>
    client.queryRow(
      sql`SELECT CURRENT_USER() AS user, VARIABLE_VALUE <> '' AS encrypted FROM performance_schema.session_status WHERE VARIABLE_NAME = 'Ssl_cipher'`,
    ),
  );

describe("the ways to a server", () => {
  it("leads over ssh to a unix socket, where the server knows the ssh user", async () => {
    expect(await currentUser(lab.root, lab.host)).toEqual({ user: "root@localhost", encrypted: 0 });
    expect(root.server).toEqual({ flavour: "mysql", version: expect.stringMatching(/^9\.7\./) });
    expect(root.name).toBe(`root@${lab.socket}`);
  });

  it("does not lead there for another ssh user", async () => {
    const error = await failure(connectMysql(lab.root, lab.hostAsSluice));
    expect(error.code).toBe("SERVER_LOGIN_REFUSED");
    expect(errnoOf(error)).toBe(1698);
  });

  it("leads over ssh and TCP, encrypted unless that is switched off", async () => {
    expect(await currentUser(lab.tcp)).toEqual({ user: "sluice@%", encrypted: 1 });
    expect(await currentUser({ ...lab.tcp, tls: "off" })).toEqual({ user: "sluice@%", encrypted: 0 });
  });

  it("leads over verified TLS to a server whose certificate names no address, when told so", async () => {
    expect(await currentUser({ ...lab.tcp, tls: { ca: lab.ca, verifyIdentity: false } })).toMatchObject({
      encrypted: 1,
    });
    const error = await failure(connectMysql({ ...lab.tcp, tls: { ca: lab.ca } }, lab.staging, { role: "source" }));
    expect(error.code).toBe("SOURCE_TLS_FAILED");
    expect(error.message).toContain("set tls.verifyIdentity: false");
  });

  it("fails with a reason if nothing listens, and if there is no network", async () => {
    for (const address of [
      { ...lab.tcp, port: 3999 },
      { ...lab.tcp, address: "192.0.2.1" },
    ]) {
      const error = await failure(connectMysql(address, lab.staging, { role: "source" }));
      expect(error.code).toBe("SOURCE_UNREACHABLE");
      expect(error.message).toContain("the server does not answer");
    }
    const error = await failure(connectMysql({ socket: "/run/no.sock", user: "root" }, lab.host));
    expect(error.code).toBe("SERVER_NOT_ANSWERING");
  });
});

describe("passwords", () => {
  it.each([
    "plain",
    "it's",
    'dou"ble',
    "back\\slash",
    "ends in \\",
    "\\'",
    "$HOME `id` $(id)",
    " leads and trails ",
    "pässwörd 漢字 😀",
    "% _ -- # /* ; */",
    "tab\tand\nline",
    "x".repeat(100),
  ])("%j opens the server, with nothing remembered of earlier logins", async (password) => {
    const address = await createUser(password);
    // Each way in its first time: the server has no hash in its cache and needs the password itself.
    for (const tls of ["off", "required"] as const) {
      await root.execute(sql`FLUSH PRIVILEGES`);
      expect(await currentUser({ ...address, tls })).toMatchObject({ user: `${testUser}@%` });
      expect(await currentUser({ ...address, tls })).toMatchObject({ user: `${testUser}@%` });
    }
    await root.execute(sql`FLUSH PRIVILEGES`);
    const onSocket = { socket: lab.socket, user: testUser, password };
    expect(await currentUser(onSocket, lab.host)).toMatchObject({ user: `${testUser}@%` });
  });

  it("that are wrong are refused, and not repeated", async () => {
    const address = await createUser("right-7f3a");
    const error = await failure(connectMysql({ ...address, password: "wrong-7f3a" }, lab.staging, { role: "source" }));
    expect(error.code).toBe("SOURCE_LOGIN_REFUSED");
    expect(errnoOf(error)).toBe(1045);
    expect(error.message).not.toContain("7f3a");
    expect((await failure(connectMysql({ ...address, password: undefined }, lab.staging))).code).toBe(
      "SERVER_LOGIN_REFUSED",
    );
  });

  it("of accounts that are locked or have expired are refused with the reason", async () => {
    const address = await createUser("right");
    await root.execute(sql`ALTER USER ${testUser}@${anyHost} ACCOUNT LOCK`);
    expect((await failure(connectMysql(address, lab.staging))).message).toContain("ACCOUNT UNLOCK");
    await root.execute(sql`ALTER USER ${testUser}@${anyHost} ACCOUNT UNLOCK PASSWORD EXPIRE`);
    const expired = await failure(connectMysql(address, lab.staging));
    expect(expired.code).toBe("SERVER_LOGIN_REFUSED");
    expect(expired.message).toContain("set a new one with ALTER USER");
  });
});

describe("what is sent", () => {
  it("arrives as it was, whatever it is", async () => {
    const texts = Array.from(
      { length: 128 },
      (_, at) => `${String.fromCodePoint(at * 17)}'\\${String.fromCodePoint(at)}"`,
    );
    for (const text of [...texts, "😀漢\u2028\u0301", "", " ", "\\", "''", "x'41'", "a".repeat(100_000)]) {
      const row = await root.queryRow(sql`SELECT ${text} AS text, HEX(${text}) AS hex, ${Buffer.from(text)} AS bytes`);
      expect(row).toEqual({ text, hex: Buffer.from(text).toString("hex").toUpperCase(), bytes: Buffer.from(text) });
    }
  });

  it.each(["a`b", "``", "with space", "ünï 漢字", "a.b", "$1", "123", "sel'ect", 'dou"ble', "back\\slash", "%"])(
    "makes and finds a database of the name %j",
    async (name) => {
      const [database, table] = [`live ${name}`, `t ${name}`];
      await root.execute(sql`DROP DATABASE IF EXISTS ${id(database)}`);
      await root.execute(sql`CREATE DATABASE ${id(database)}`);
      await root.execute(sql`CREATE TABLE ${id(database, table)} (${id(name)} INT PRIMARY KEY)`);
      await root.execute(sql`INSERT INTO ${id(database, table)} VALUES (${7})`);
      expect(await root.query(sql`SELECT * FROM ${id(database, table)}`)).toEqual([{ [name]: 7 }]);
      expect(
        await root.query(
          sql`SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${database}`,
        ),
      ).toEqual([{ name: table }]);
      await root.execute(sql`DROP DATABASE ${id(database)}`);
    },
  );

  it.each(['o\'neil\\ "$x" #%', "pässwörd 漢字", "😀", "x".repeat(33)])(
    "sets a channel's password to %j, or it is known before that the server cannot keep it",
    async (password) => {
      const channel = "live 'channel`\\";
      const point = changeReplicationSource(
        root.server,
        { SOURCE_HOST: "192.0.2.1", SOURCE_USER: "u", SOURCE_PASSWORD: secret(password, "source.password") },
        channel,
      );
      if (password.length > 32) {
        const error = await failure(root.execute(point));
        expect(errnoOf(error)).toBe(3056);
        expect(error.message).not.toContain("xxxxx");
        return;
      }
      await root.execute(point);
      const row = await root.queryRow(
        sql`SELECT User_password AS kept FROM mysql.slave_master_info WHERE Channel_name = ${channel}`,
      );
      await root.execute(resetReplicaAll(root.server, channel));
      expect(row?.["kept"] === password).toBe(channelTextRefusal(password) === undefined);
    },
  );

  it("tells a DBA who asked, and runs in the session we rely on", async () => {
    const row = await root.queryRow(
      sql`SELECT INFO AS info, @@SESSION.sql_mode AS mode, @@SESSION.lock_wait_timeout AS wait, @@SESSION.character_set_client AS charset FROM performance_schema.processlist WHERE ID = CONNECTION_ID()`,
    );
    expect(row).toEqual({
      info: expect.stringMatching(/^\/\* sluice \*\/ SELECT INFO/),
      mode: "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION",
      wait: 60,
      charset: "utf8mb4",
    });
  });

  it("shows no secret when it fails", async () => {
    const hidden = secret("marker'7f3a\\e91c", "password");
    for (const statement of [
      sql`CREATE USER ${testUser}@${anyHost} IDENTIFIED BY ${hidden} ${sql`NONSENSE`}`,
      sql`NONSENSE ${hidden}`,
      sql`SELECT ${hidden} FROM nowhere.nothing`,
      sql`SELECT CAST(${hidden} AS JSON)`,
    ]) {
      const error = await failure(root.execute(statement));
      expect(error.message).toContain("«password»");
      expect(JSON.stringify({ ...error, text: String(error), cause: error.cause })).not.toMatch(/marker|7f3a|e91c/);
    }
  });
});

describe("a session in trouble", () => {
  it("has its statement killed at its limit, and lives on", async () => {
    const startedAt = performance.now();
    const error = await failure(
      root.query(
        sql`SELECT COUNT(*) AS n FROM information_schema.COLUMNS a, information_schema.COLUMNS b, information_schema.COLUMNS c WHERE SLEEP(1) = 0`,
        { withinSeconds: 1 },
      ),
    );
    expect(error.code).toBe("TIMEOUT_REACHED");
    expect(performance.now() - startedAt).toBeLessThan(6000);
    const left = await root.query(
      sql`SELECT INFO FROM performance_schema.processlist WHERE INFO LIKE ${"%SLEEP(1) = 0%"} AND ID <> CONNECTION_ID()`,
    );
    expect(left).toEqual([]);
    expect(await root.queryRow(sql`SELECT @@SESSION.sql_log_bin AS log`)).toEqual({ log: 0 });
  });

  it("says that it was lost when the server ends it, and closes quietly", async () => {
    const victim = await connectMysql(lab.tcp, lab.staging);
    const row = await victim.queryRow<{ thread: number }>(sql`SELECT CONNECTION_ID() AS thread`);
    const sleeping = failure(victim.query(sql`SELECT SLEEP(30)`));
    await root.execute(sql`KILL CONNECTION ${row?.thread ?? 0}`);
    expect((await sleeping).code).toBe("SERVER_NOT_ANSWERING");
    expect((await failure(victim.query(sql`SELECT 1`))).code).toBe("SERVER_NOT_ANSWERING");
    await victim.close();
  });

  it("says goodbye, so that the server counts no aborted client", async () => {
    const aborted = async () =>
      (
        await root.queryRow(
          sql`SELECT VARIABLE_VALUE AS n FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Aborted_clients'`,
        )
      )?.["n"];
    const overTcp = (address: ServerAddress) =>
      withMysql(address, lab.staging, (client) => client.query(sql`SELECT 1`));
    const sessions = [
      () => overTcp(lab.tcp),
      () => overTcp({ ...lab.tcp, tls: "off" as const }),
      () => withMysql(lab.root, lab.host, (client) => client.query(sql`SELECT 1`)),
    ];
    for (const session of sessions) {
      // The counter is the whole server's: a client of another file may add to it meanwhile, but not to every round.
      const added: number[] = [];
      for (let round = 0; round < 5 && !added.includes(0); round += 1) {
        const before = Number(await aborted());
        await session();
        added.push(Number(await aborted()) - before);
      }
      expect(added).toContain(0);
    }
  });
});

describe("privileges", () => {
  const grantsOf = async (client: MysqlClient) =>
    parseGrants((await client.query(sql`SHOW GRANTS`)).map((row) => String(Object.values(row)[0])));

  it("of the lab's account are enough to follow and to dump", async () => {
    await withMysql(lab.tcp, lab.staging, async (client) => {
      const grants = await grantsOf(client);
      expect(
        missingPrivileges(grants, [...followNeeds(), ...observeNeeds(), ...dumpNeeds(client.server, ["shop"])]),
      ).toEqual([]);
    });
  });

  it("that are missing are named, and the statement that is offered gives them", async () => {
    const address = await createUser("right");
    const needs = [...followNeeds(), ...dumpNeeds(root.server, ["shop", "with_underscore"])];
    await withMysql(address, lab.staging, async (client) => {
      const error = await failure(client.query(showBinaryLogStatus(client.server)));
      expect(error.code).toBe("SERVER_PRIVILEGE_MISSING");
      const missing = missingPrivileges(await grantsOf(client), needs);
      expect(missing).toEqual(needs);
      const account = await client.queryRow<{ user: string }>(sql`SELECT CURRENT_USER() AS user`);
      for (const statement of renderGrants(missing, parseAccount(account?.user ?? ""))) await root.execute(statement);
    });
    await withMysql(address, lab.staging, async (client) => {
      expect(missingPrivileges(await grantsOf(client), needs)).toEqual([]);
      expect(await client.query(showBinaryLogStatus(client.server))).toHaveLength(1);
      await client.query(sql`SELECT 1 FROM ${id("shop", "customer")} LIMIT 1`).catch((error: unknown) => {
        if (errnoOf(error) !== 1146) throw error;
      });
    });
  });
});
