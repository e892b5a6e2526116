import { readCounters } from "../../../../provider/host/counters";
import { sh } from "../../../../provider/host/command";
import type { SshAddress } from "../../../../provider/host/host";
import { borrowHost, closeHosts, withHost } from "../../../../provider/host/pool";
import { problemOf } from "./problems";
import { defaultHostKey, startServer, type TestServer } from "./ssh/ssh-server";

jest.setTimeout(20_000); // real processes, on a machine that may have other work

let servers: TestServer[] = [];
const serve = async (): Promise<SshAddress> => {
  const server = await startServer();
  servers.push(server);
  return { address: "127.0.0.1", port: server.port, user: "ana", password: "pass", hostKey: defaultHostKey.public };
};
const logins = () => servers.map((server) => server.logins());

beforeEach(() => void (servers = []));
afterEach(async () => {
  await closeHosts();
  for (const server of servers) await server.close();
});

test("resources that name a host the same way share one connection", async () => {
  const address = await serve();
  const before = readCounters();
  const turned = Object.fromEntries(Object.entries(address).reverse()) as unknown as SshAddress; // the same, in another order
  await Promise.all(
    [address, turned, { ...address, sudo: undefined }].flatMap((same) =>
      Array.from({ length: 5 }, () => withHost(same, (host) => host.run(sh`true`))),
    ),
  );
  await withHost(address, (host) => host.run(sh`true`));
  expect(logins()).toEqual([1]);
  const after = readCounters();
  expect([after.connections - before.connections, after.sessions - before.sessions]).toEqual([1, 17]); // 16 and the facts
});

test("a resource that names it with other secrets or another key has a connection of its own", async () => {
  const address = await serve();
  await withHost(address, (host) => host.facts());
  expect((await problemOf(withHost({ ...address, password: "other" }, (host) => host.facts()))).code).toBe(
    "HOST_LOGIN_REFUSED",
  );
  const unpinned = { ...address, hostKey: undefined };
  expect((await problemOf(withHost(unpinned, (host) => host.facts()))).code).toBe("HOST_KEY_UNPINNED");
  expect(logins()).toEqual([1]);
});

test("hosts behind the same jump host share its connection", async () => {
  const [jump, one, two] = [await serve(), await serve(), await serve()];
  await Promise.all([one, two].map((address) => withHost({ ...address, proxy: jump }, (host) => host.facts())));
  await withHost(jump, (host) => host.facts());
  expect(logins()).toEqual([1, 1, 1]);
});

test("a connection is kept after its last user, and closed with all others at the end", async () => {
  const address = await serve();
  const { host, release } = borrowHost(address);
  await host.facts();
  release();
  release();
  expect(borrowHost(address).host).toBe(host);
  await closeHosts();
  const next = borrowHost(address).host;
  expect(next).not.toBe(host);
  await next.run(sh`true`);
  expect(logins()).toEqual([2]);
});

test("this machine is one host too", async () => {
  const one = borrowHost("local");
  expect(one.host).toBe(borrowHost("local").host);
  expect(one.host.name).toBe("local");
});

test("a login that failed is tried again by the next caller", async () => {
  const address = await serve();
  const [server] = servers;
  await server?.listen(false);
  expect((await problemOf(withHost(address, (host) => host.facts()))).code).toBe("HOST_UNREACHABLE");
  await server?.listen(true);
  await withHost(address, (host) => host.facts());
  expect(logins()).toEqual([1]);
});
