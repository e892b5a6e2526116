import type { LabHost } from "../../lab/index.ts";
import { Command, sh } from "../../provider/host/command";
import type { Host } from "../../provider/host/host";
import { borrowHost } from "../../provider/host/pool";
import { tlsFilesOf, writeTlsFiles } from "../../provider/mysql/channel/tls-files";
import { readFilterFile } from "../../provider/mysql/channel/filter-file";
import { readBinaries } from "../../provider/mysql/instance/binaries";
import { readInstance } from "../../provider/mysql/instance/facts";
import { readLogs } from "../../provider/mysql/instance/logs";
import { ensureDirectories } from "../../provider/mysql/instance/prepare";
import { requireAccepted } from "../../provider/mysql/instance/validate";
import { readBackup } from "../../provider/mysql/seed/file/backup";
import { addressOf, closeHosts, makeServer, requireLab, type ManagedServer, type ServerWanted } from "./managed-server";

/**
 * The unix user that mysqld runs as, and every other user of the host, may be anybody's: an application that is broken into, a
 * library that is loaded. Root, which works beside them, must not read, write, run or end what they choose. Each test is one
 * place in which user mysql tries.
 */
let staging: LabHost;
let host: Host;
const folder = "/srv/others-test";
const secret = "/root/others-test-secret";
const servers: ManagedServer[] = [];

jest.setTimeout(180_000);

beforeAll(async () => {
  staging = (await requireLab()).host("staging");
  host = borrowHost(await addressOf(staging)).host;
  await host.run(sh`mkdir -p ${folder} && echo only-root-knows >${secret} && chmod 600 ${secret}`);
  await host.run(sh`id mysql >/dev/null 2>&1 || useradd --system --user-group mysql`);
});

afterAll(async () => {
  try {
    for (const server of servers.splice(0)) await server.remove();
    await host.run(sh`rm -rf ${folder} ${secret} /usr/local/sbin/validate-spy /usr/local/sbin/initialise-spy`);
  } finally {
    await closeHosts();
  }
});

const asMysql = (text: string) => host.run(new Command(text), { asUser: "mysql" });
const secretNow = async () => (await host.run(sh`cat ${secret}; stat -c '%U %a' ${secret}`)).stdout;
const untouched = "only-root-knows\nroot 600\n";

async function serverAt(name: string, port: number, more: Partial<ServerWanted> = {}): Promise<ManagedServer> {
  const server = await makeServer(staging, { directory: `${folder}/${name}`, port, ...more });
  servers.push(server);
  return server;
}

/** A program in a directory of root's that tells who runs it and from where its options come. */
async function spy(name: string): Promise<string> {
  const path = `/usr/local/sbin/${name}`;
  const script = `#!/bin/sh
{ id -un; for word; do case $word in --defaults-file=*) f=\${word#*=}; stat -c '%U %a' "$(dirname "$f")" "$f" ;; esac; done; } >/tmp/${name}.said
[ "$1" != --no-defaults ] || exec /usr/sbin/mysqld "$@"
`;
  await host.writeFile(path, script, { mode: 0o755 });
  await host.run(sh`rm -f /tmp/${new Command(name)}.said`);
  return path;
}
const said = async (name: string) => (await host.run(sh`cat ${`/tmp/${name}.said`}`)).stdout;

test("mysqld validates as the user it will run as, options that only root can change", async () => {
  const mysqld = await spy("validate-spy");
  const server = await serverAt("validate", 3431, { binaries: { mysqld } });
  await ensureDirectories(server.host, server.instance);
  await requireAccepted(server.host, server.instance, "[mysqld]\n");
  expect(await said("validate-spy")).toBe("mysql\nroot 755\nroot 640\n");
  expect((await host.run(sh`ls -A ${server.instance.layout.directory}`)).stdout).not.toContain("draft");
});

test("mysqld makes its data directory as the user it will run as", async () => {
  const mysqld = await spy("initialise-spy");
  const server = await serverAt("initialise", 3432, { binaries: { mysqld } });
  await server.create().catch(() => undefined); // only the first run is the real mysqld
  expect(await said("initialise-spy")).not.toContain("root\n");
});

test("a symlink in mysqld's log directory shows no file of root's", async () => {
  for (const supervisor of ["systemd", "process"] as const) {
    const server = await serverAt(`log-${supervisor}`, 3433, { runtime: { supervisor } });
    const { layout } = server.instance;
    await ensureDirectories(server.host, server.instance);
    await asMysql(`ln -s ${secret} ${layout.errorLog}; ln -s ${secret} ${layout.startLog}`);
    expect((await readLogs(server.host, server.instance)).join("\n")).not.toContain("only-root-knows");
  }
});

test("without systemd, what keeps mysqld running writes to no file of root's, and root ends no process of another's choice", async () => {
  const server = await serverAt("process", 3434, { runtime: { supervisor: "process" } });
  const { layout } = server.instance;
  await server.create();
  const { pid } = await readInstance(server.host, server.instance);
  const { stdout: users } = await host.run(
    sh`ps -o user= -p ${String(pid)}; ps -o user= -p $(ps -o ppid= -p ${String(pid)})`,
  );
  expect(users).toBe("mysql\nmysql\n");
  await server.stop();
  await asMysql(
    `rm -f ${layout.startLog}; ln -s ${secret} ${layout.startLog}; ln -sf ${secret} ${layout.supervisorState}.new`,
  );
  await server.start();
  expect(await secretNow()).toBe(untouched);

  const { stdout: victim } = await host.run(sh`sleep 300 >/dev/null 2>&1 & echo $!`);
  const born = (await host.run(sh`sed 's/.*) //' /proc/${new Command(victim.trim())}/stat | cut -d' ' -f20`)).stdout;
  const { stdout: state } = await host.run(sh`cat ${layout.supervisorState}`);
  await asMysql(`echo "${victim.trim()} ${born.trim()} running ${victim.trim()}" >${layout.supervisorState}`);
  expect((await readInstance(server.host, server.instance)).running).toBe(false);
  await server.stop();
  await host.run(sh`kill -0 ${victim.trim()} && kill ${victim.trim()}`);
  await asMysql(`printf %s '${state}' >${layout.supervisorState}`);
  await server.stop();
  expect((await readInstance(server.host, server.instance)).running).toBe(false);
});

test("the files of a channel are written into mysqld's directory as its user", async () => {
  const data = `${folder}/unmanaged`;
  await host.run(sh`mkdir -p ${data} && chown mysql:mysql ${data}`);
  const files = tlsFilesOf({ socket: "/run/elsewhere.sock", dataDirectory: data }, "orders");
  // A directory in which only its own user can make files: root could too.
  await writeTlsFiles(host, files, { ca: "CA", key: "KEY", verifyIdentity: true }, data);
  expect((await host.run(sh`stat -c '%U %a' ${files.ca} ${files.key}`)).stdout).toBe("mysql 644\nmysql 600\n");

  // The directory that the server names leads into one of root's.
  await host.run(sh`mkdir -p -m 700 /root/others-test && rm -rf ${data}`);
  await host.run(sh`mkdir -p ${data} && chown mysql:mysql ${data}`);
  await asMysql(`ln -s /root/others-test ${data}/inner`);
  const inner = tlsFilesOf({ socket: "/run/elsewhere.sock", dataDirectory: `${data}/inner` }, "orders");
  await expect(writeTlsFiles(host, inner, { ca: "CA", verifyIdentity: true }, `${data}/inner`)).rejects.toMatchObject({
    code: "STORAGE_PATH_UNSAFE",
  });
  expect((await host.run(sh`ls -A /root/others-test`)).stdout).toBe("");
  await host.run(sh`rmdir /root/others-test`);
});

test("an option file that the server's own word leads to is none of ours where another user can change it", async () => {
  const data = `${folder}/lies/data`;
  await host.run(sh`mkdir -p ${data} && chown -R mysql:mysql ${folder}/lies`);
  await asMysql(`echo '!includedir ${folder}/lies/conf.d' >${folder}/lies/my.cnf; ln -s /root ${folder}/lies/conf.d`);
  expect(await readFilterFile(host, data, "orders")).toMatchObject({ isPossible: false, text: null });
});

test("a directory that was given to mysql is not believed, is made root's again, and symlinks in it are refused", async () => {
  const server = await serverAt("given", 3435);
  const { layout } = server.instance;
  await ensureDirectories(server.host, server.instance);
  await server.configure();
  await host.run(sh`chown -R mysql:mysql ${layout.directory}`);
  await asMysql(`rm ${layout.optionFile}; ln -s ${secret} ${layout.optionFile}`);
  const given = await readInstance(server.host, server.instance);
  expect(given.optionText).toBeNull();
  expect(given.loose.map(({ step }) => step)).toContain(layout.directory);
  await ensureDirectories(server.host, server.instance);
  await server.configure();
  expect((await readInstance(server.host, server.instance)).loose).toEqual([]);
  expect(await secretNow()).toBe(untouched);

  await host.run(sh`chown mysql:mysql ${layout.directory}`);
  await asMysql(`rm -r ${layout.log}; ln -s /root ${layout.log}`);
  await expect(ensureDirectories(server.host, server.instance)).rejects.toMatchObject({
    code: "STORAGE_PATH_UNSAFE",
    problem: { found: expect.stringContaining(layout.log) as string },
  });
  expect((await host.run(sh`stat -c '%U %a' /root`)).stdout).toMatch(/^root 7/);
  await host.run(sh`rm ${layout.log}`);
});

test("a directory whose parent another user can change is refused before anything is read or made", async () => {
  await host.run(sh`mkdir -p ${folder}/mysqls && chown mysql ${folder}/mysqls`);
  const server = await makeServer(staging, { directory: `${folder}/mysqls/orders`, port: 3436 });
  const unsafe = { code: "STORAGE_PATH_UNSAFE", problem: { fix: `chown -h root: ${folder}/mysqls` } };
  await expect(server.create()).rejects.toMatchObject(unsafe);
  await expect(readInstance(server.host, server.instance)).rejects.toMatchObject(unsafe);
  expect((await host.run(sh`ls -A ${folder}/mysqls`)).stdout).toBe("");
});

test("a mysqld that another user can change is not run", async () => {
  const base = `${folder}/base`;
  await host.run(sh`mkdir -p ${base}/bin && chown mysql ${base}/bin`);
  await asMysql(
    `printf '#!/bin/sh\\ntouch ${folder}/ran\\necho "mysqld  Ver 8.4.3 for Linux"\\n' >${base}/bin/mysqld; chmod 755 ${base}/bin/mysqld`,
  );
  await expect(readBinaries(host, { object: "a server", baseDirectory: base })).rejects.toMatchObject({
    code: "SERVER_BINARY_MISSING",
    problem: { found: expect.stringMatching(/not run, user \d+ can change/) as string },
  });
  expect((await host.inspect(`${folder}/ran`)).kind).toBe("absent");
});

test("a backup in a directory of another user is read as its owner, and never leads root to a file of its own", async () => {
  const backups = `${folder}/backups`;
  await host.run(sh`mkdir -p ${backups} && chown mysql ${backups}`);
  const dump = "-- MySQL dump 10.13\nCREATE DATABASE a;\n-- Dump completed\n";
  await host.writeFile(`${backups}/full.sql`, dump, { mode: 0o600, asUser: "mysql" });
  const { instance } = await makeServer(staging, { directory: `${folder}/none`, port: 3437 });
  expect(await readBackup(host, instance, `${backups}/full.sql`)).toMatchObject({ reader: "mysql" });
  await asMysql(`ln -sf ${secret} ${backups}/full.sql`);
  await expect(readBackup(host, instance, `${backups}/full.sql`)).rejects.toMatchObject({
    code: "STORAGE_PATH_UNSAFE",
  });
});
