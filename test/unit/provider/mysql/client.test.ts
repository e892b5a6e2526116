import net from "node:net";
import type { Duplex } from "node:stream";
import { SluiceError } from "../../../../provider/errors";
import type { DialTarget } from "../../../../provider/host/host";
import type { ServerAddress } from "../../../../provider/mysql/address";
import { connectMysql, readMysqlCounters, withMysql, type ConnectOptions } from "../../../../provider/mysql/client";
import { errnoOf } from "../../../../provider/mysql/fault/fault";
import { secret, sql } from "../../../../provider/mysql/sql";
import { anotherAuthority, authority, namelessCertificate, serverCertificate, serverKey } from "./certificates";
import { startProtocolServer, type ProtocolServer, type Script } from "./protocol-server";

/** Names are reached on loopback, as a resolver would do it. */
const here = {
  name: "here",
  dial: (target: DialTarget): Promise<Duplex> =>
    new Promise((resolve, reject) => {
      if ("socketPath" in target) return reject(new Error("no sockets in these tests"));
      const socket = net.connect(target.port, "127.0.0.1", () => resolve(socket));
      socket.once("error", (error) =>
        reject(
          new SluiceError({
            code: "HOST_DIAL_REFUSED",
            object: "host here",
            what: "cannot dial",
            found: error.message,
          }),
        ),
      );
    }),
};

let server: ProtocolServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function start(script: Script = {}): Promise<ServerAddress> {
  await server?.stop();
  server = await startProtocolServer(script);
  return { address: "127.0.0.1", port: server.port, user: "app", password: "secret-word-1", tls: "off" };
}

const sent = () => server?.statements ?? [];

/** Resolves when the server has seen every connection end; jest's limit is the limit. */
async function allClosed(): Promise<void> {
  while ((server?.openConnections() ?? 0) > 0) await new Promise((resolve) => setImmediate(resolve));
}

/** The error of work that must fail. */
async function failure(work: Promise<unknown>): Promise<SluiceError> {
  const thrown: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof SluiceError) return thrown;
  throw new Error(`expected one of our errors, got ${String(thrown)}`);
}

const select = sql`SELECT 'x' AS value`;

describe("a session", () => {
  it("is prepared before anything else, and every statement says who asked", async () => {
    const address = await start();
    await withMysql(address, here, (client) => client.query(select));
    expect(sent()).toEqual([
      expect.stringMatching(/^\/\* sluice \*\/ SET NAMES utf8mb4, SESSION sql_mode = '(?!.*NO_BACKSLASH_ESCAPES)/),
      expect.stringMatching(/^\/\* sluice \*\/ SELECT VERSION\(\)/),
      "/* sluice */ SELECT 'x' AS value",
      "QUIT",
    ]);
  });

  it.each([
    ["8.0.36-28", "Percona Server (GPL), Release 28", { flavour: "percona", version: "8.0.36-28" }],
    ["9.7.4-2", "(Debian)", { flavour: "mysql", version: "9.7.4-2" }],
    ["5.5.5-10.11.6-MariaDB", "Debian 12", { flavour: "mariadb", version: "10.11.6-MariaDB" }],
  ])("knows a server that says %s, %s, and has a name without secrets", async (version, comment, facts) => {
    const address = await start({ version, comment });
    const client = await connectMysql(address, here);
    expect(client.server).toEqual(facts);
    expect(client.name).toBe(`app@127.0.0.1:${address.port}`);
    await client.close();
  });

  it("counts connections and statements", async () => {
    const before = readMysqlCounters();
    const address = await start();
    await withMysql(address, here, async (client) => {
      await client.query(select);
      await client.execute(sql`SET @a = 1`);
    });
    const after = readMysqlCounters();
    expect(after.connections - before.connections).toBe(1);
    expect(after.roundTrips - before.roundTrips).toBe(4);
  });

  it("is closed when the work fails, and closing again does nothing", async () => {
    const address = await start();
    const work = withMysql(address, here, async (client) => {
      await client.close();
      throw new Error("the work failed");
    });
    await expect(work).rejects.toThrow("the work failed");
    expect(sent().filter((statement) => statement === "QUIT")).toHaveLength(1);
    await allClosed();
  });

  it("does not write in a reading method", async () => {
    const address = await start();
    await withMysql(address, here, async (client) => {
      await expect(client.query(sql`DELETE FROM t`)).rejects.toThrow(RangeError);
      await expect(client.query(sql`SET GLOBAL read_only = 0`)).rejects.toThrow(RangeError);
    });
    expect(sent().join()).not.toContain("DELETE");
  });

  it.each([
    ["9007199254740991", 9007199254740991],
    ["9007199254740993", 9007199254740993n],
    ["18446744073709551615", 18446744073709551615n],
    ["-5", -5],
  ])("reads the eight-byte number %s exactly", async (text, value) => {
    const address = await start({
      answer: (statement) => (statement.includes("AS value") ? { row: { value: text }, type: "longlong" } : undefined),
    });
    const row = await withMysql(address, here, (client) => client.queryRow<{ value: unknown }>(select));
    expect(row?.value).toBe(value);
  });
});

describe("a server that cannot be reached", () => {
  const connect = async (script: Script, change: Partial<ServerAddress> = {}, options: ConnectOptions = {}) =>
    failure(connectMysql({ ...(await start(script)), ...change }, here, options));

  it("refuses the connection", async () => {
    const address = await start();
    await server?.stop();
    const error = await failure(connectMysql(address, here, { object: "staging database orders@stage-1" }));
    expect(error.code).toBe("SERVER_NOT_ANSWERING");
    expect(error.message).toMatch(
      /^staging database orders@stage-1: the server does not answer \(SERVER_NOT_ANSWERING\)\n {2}found {3}connect ECONNREFUSED/,
    );
  });

  it("says nothing", async () => {
    const error = await connect({ isMute: true }, {}, { withinSeconds: 0.1 });
    expect(error.code).toBe("SERVER_NOT_ANSWERING");
    expect(error.message).toContain("did not answer within 0.1 s, asked through here");
    await allClosed();
  });

  it("is given up where the host does not come back from dialling, and a late connection is closed", async () => {
    const address = await start();
    const late: Duplex[] = [];
    const slow = {
      name: "slow",
      dial: async (target: DialTarget) => {
        await new Promise((resolve) => setTimeout(resolve, 150));
        late.push(await here.dial(target));
        return late[0] as Duplex;
      },
    };
    expect((await failure(connectMysql(address, slow, { withinSeconds: 0.05 }))).code).toBe("SERVER_NOT_ANSWERING");
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(late.map((stream) => stream.destroyed)).toEqual([true]);
  });

  it("is not asked further when the work was interrupted", async () => {
    const interrupted = new AbortController();
    const work = connect({ isMute: true }, {}, { signal: interrupted.signal });
    setTimeout(() => interrupted.abort(new Error("the engine is gone")), 30);
    expect((await work).message).toContain(
      "no further statement was sent, the work was interrupted: the engine is gone",
    );
  });

  it("has too many connections", async () => {
    const error = await connect({ refusal: { errno: 1040, message: "Too many connections" } });
    expect(error.code).toBe("SERVER_NOT_ANSWERING");
    expect(error.message).toContain("Too many connections (error 1040)");
    expect(error.message).toContain("raise max_connections");
  });

  it.each([
    [1045, "SERVER_LOGIN_REFUSED"],
    [1698, "SERVER_LOGIN_REFUSED"],
    [3118, "SERVER_LOGIN_REFUSED"],
    [1044, "SERVER_PRIVILEGE_MISSING"],
    [3159, "SERVER_TLS_FAILED"],
    [1053, "SERVER_NOT_ANSWERING"],
  ])("answers the login with error %i: %s", async (errno, code) => {
    const error = await connect({ login: () => ({ errno, message: "No entry" }) });
    expect(error.code).toBe(code);
    expect(errnoOf(error)).toBe(errno);
  });

  it("is called the source where it is one", async () => {
    const login = () => ({ errno: 1045, message: "Access denied" });
    expect((await connect({ login }, {}, { role: "source" })).code).toBe("SOURCE_LOGIN_REFUSED");
    const mute = { withinSeconds: 0.05, role: "source" } as const;
    expect((await connect({ isMute: true }, {}, mute)).code).toBe("SOURCE_UNREACHABLE");
  });

  it("never gets a password into the error", async () => {
    const error = await connect({ login: () => ({ errno: 1045, message: "denied, using secret-word-1" }) });
    expect(error.message).toContain("denied, using «password»");
    expect(JSON.stringify(error)).not.toContain("secret-word-1");
  });
});

describe("TLS", () => {
  const named = { key: serverKey, cert: serverCertificate };
  const nameless = { key: serverKey, cert: namelessCertificate };

  async function isEncrypted(script: Script, change: Partial<ServerAddress>): Promise<boolean | undefined> {
    const address = await start(script);
    await withMysql({ ...address, ...change }, here, (client) => client.query(select));
    return server?.encrypted.at(-1);
  }

  it.each([
    ["encrypts by default, whoever answers", nameless, {}],
    [
      "takes the certificate of a trusted authority for a name",
      named,
      { address: "db.example.net", tls: { ca: authority } },
    ],
    [
      "takes the certificate of a trusted authority for an IP address",
      named,
      { address: "127.0.0.1", tls: { ca: authority } },
    ],
    ["takes one of several authorities", named, { tls: { ca: `${anotherAuthority}\n${authority}` } }],
    ["takes a certificate without names when told to", nameless, { tls: { ca: authority, verifyIdentity: false } }],
  ])("%s", async (_, tls, change: Partial<ServerAddress>) => {
    expect(await isEncrypted({ tls }, { tls: undefined, ...change })).toBe(true);
  });

  it("stays away when told to", async () => {
    expect(await isEncrypted({ tls: named }, { tls: "off" })).toBe(false);
  });

  it.each([
    ["another authority", named, { tls: { ca: anotherAuthority } }, "is not trusted"],
    [
      "another authority, names aside",
      named,
      { tls: { ca: anotherAuthority, verifyIdentity: false } },
      "is not trusted",
    ],
    ["another name", named, { address: "db2.example.net", tls: { ca: authority } }, "is for another name"],
    ["another IP address", named, { address: "127.0.0.2", tls: { ca: authority } }, "is for another name"],
    ["no name", nameless, { address: "db.example.net", tls: { ca: authority } }, "is for another name"],
    ["no name, asked by IP address", nameless, { address: "127.0.0.1", tls: { ca: authority } }, "is for another name"],
    ["localhost, asked by IP address", named, { address: "localhost", tls: { ca: authority } }, "is for another name"],
  ])(
    "refuses a certificate of %s, before any word of the login",
    async (_, tls, change: Partial<ServerAddress>, why) => {
      const users: string[] = [];
      const login = (user: string) => {
        users.push(user);
        return undefined;
      };
      const address = await start({ tls, login });
      const error = await failure(connectMysql({ ...address, ...change }, here));
      expect(error.message).toContain(why);
      expect(error.code).toBe("SERVER_TLS_FAILED");
      expect(users).toEqual([]);
    },
  );

  it("is not given up where the server has none", async () => {
    const address = await start();
    const error = await failure(connectMysql({ ...address, tls: "required" }, here, { role: "source" }));
    expect(error.code).toBe("SOURCE_TLS_FAILED");
    expect(error.message).toContain('set tls: "off"');
  });

  it("needs certificates and not their paths", async () => {
    const address = await start({ tls: named });
    for (const ca of ["/etc/ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", ""]) {
      const error = await failure(connectMysql({ ...address, tls: { ca } }, here));
      expect(error.message).toContain("tls.ca holds no certificate in PEM");
    }
  });

  it("survives a key that is none", async () => {
    const address = await start({ tls: named });
    const error = await failure(
      connectMysql({ ...address, tls: { ca: authority, cert: serverCertificate, key: "x" } }, here),
    );
    expect(error.message).toContain("tls.key");
    expect(error.code).toBe("SERVER_TLS_FAILED");
  });
});

describe("a statement that fails", () => {
  const run = async (script: Script, statement = sql`UPDATE t SET a = 1`, options: ConnectOptions = {}) => {
    const address = await start(script);
    return failure(withMysql(address, here, (client) => client.execute(statement), options));
  };

  it("keeps MySQL's number and words", async () => {
    const error = await run({ answer: onUpdate({ errno: 1146, message: "Table 'a.t' doesn't exist" }) });
    expect(error.code).toBe("SERVER_QUERY_FAILED");
    expect(errnoOf(error)).toBe(1146);
    expect(error.message.split("\n")[0]).toMatch(/a statement failed: Table 'a.t' doesn't exist \(error 1146\)/);
  });

  it.each([1044, 1142, 1227, 1370])("for want of a privilege, error %i", async (errno) => {
    expect((await run({ answer: onUpdate({ errno, message: "denied" }) })).code).toBe("SERVER_PRIVILEGE_MISSING");
  });

  it("shows no secret, not even the pieces that the server quotes", async () => {
    const password = "correct-horse'battery";
    const message = "You have an error ... near 'correct-horse''bat' at line 1";
    const error = await run(
      { answer: onUpdate({ errno: 1064, message }) },
      sql`UPDATE t SET a = ${secret(password, "source.password")}`,
    );
    expect(error.message).toContain("UPDATE t SET a = «source.password»");
    expect(error.message).not.toMatch(/correct|horse|bat/);
    expect(JSON.stringify(error.problem)).not.toMatch(/correct|horse/);
  });

  it("because the connection broke", async () => {
    const error = await run({ answer: onUpdate("hang-up") });
    expect(error.code).toBe("SERVER_NOT_ANSWERING");
    expect(error.message).toContain("the connection was lost while a statement ran");
  });

  it("because the connection broke before, which alone is not an error", async () => {
    const address = await start();
    const client = await connectMysql(address, here);
    server?.hangUp();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await failure(client.query(select))).code).toBe("SERVER_NOT_ANSWERING");
    await client.close();
  });
});

describe("a statement that does not end", () => {
  it("is killed by a second connection, and the session lives on", async () => {
    const address = await start({ answer: onUpdate("silence") });
    const client = await connectMysql(address, here);
    const error = await failure(client.execute(sql`UPDATE t SET a = 1`, { withinSeconds: 0.05 }));
    expect(error.code).toBe("TIMEOUT_REACHED");
    expect(error.message).toContain("a statement was killed after 0.05 s");
    expect(sent().filter((text) => text.includes("KILL"))).toEqual(["/* sluice */ KILL QUERY 101"]);
    expect(await client.query(select)).toEqual([]);
    await client.close();
  });

  it("is given up with its session where the server takes no second connection", async () => {
    const address = await start({ answer: onUpdate("silence") });
    let calls = 0;
    const once = {
      name: "once",
      dial: (target: DialTarget) => ((calls += 1) === 1 ? here.dial(target) : Promise.reject(new Error("host gone"))),
    };
    const client = await connectMysql(address, once);
    expect((await failure(client.execute(sql`UPDATE t SET a = 1`, { withinSeconds: 0.05 }))).code).toBe(
      "TIMEOUT_REACHED",
    );
    expect((await failure(client.query(select))).code).toBe("SERVER_NOT_ANSWERING");
    await client.close();
  });

  it("ends when the work is interrupted", async () => {
    const interrupted = new AbortController();
    const address = await start({ answer: onUpdate("silence") });
    const client = await connectMysql(address, here, { signal: interrupted.signal });
    const work = failure(client.execute(sql`UPDATE t SET a = 1`));
    setTimeout(() => interrupted.abort(new Error("the engine is gone")), 20);
    const error = await work;
    expect(error.message).toContain("the work was interrupted: the engine is gone");
    await client.close();
  });
});

const onUpdate = (answer: NonNullable<ReturnType<NonNullable<Script["answer"]>>>) => (statement: string) =>
  statement.includes("UPDATE") ? answer : undefined;
