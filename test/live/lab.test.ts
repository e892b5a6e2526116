import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { startLab, stopLab, type Lab } from "../../lab/index.ts";

const names = ["test-one", "test-two"];
const command = path.join(__dirname, "../../lab/lab.ts");
let lab: Lab;
let other: Lab;

beforeAll(async () => {
  const here = { from: __dirname, to: "/checkout", readOnly: true };
  lab = await startLab({ name: "test-one", dataMegabytes: 5, binds: [here] });
  other = await startLab({ name: "test-two", hosts: ["staging"] });
});

afterAll(async () => {
  for (const name of names) await stopLab(name);
});

const sql = async (statement: string) =>
  (await lab.host("source").run(["mysql", "--batch", "--skip-column-names"], { stdin: statement })).stdout.trim();

const ssh = (to: Lab, host: string, remote: string, options: readonly string[] = []) =>
  spawnSync("ssh", ["-F", to.sshConfigPath, "-o", "ConnectTimeout=3", ...options, host, remote], { encoding: "utf8" });

const cli = (args: readonly string[]) => spawnSync(process.execPath, [command, ...args], { encoding: "utf8" });

describe("hosts", () => {
  test("are reached by ssh as a user with sudo, under the host key the lab names", () => {
    for (const host of ["source", "staging"]) {
      expect(ssh(lab, host, "hostname; id -un; sudo id -un").stdout).toBe(`${host}\nsluice\nroot\n`);
    }
    const keys = ["source", "staging"].map((host) => lab.host(host).hostKeyFingerprint);
    expect(keys.every((key) => /^SHA256:[A-Za-z0-9+/]{43}$/.test(key))).toBe(true);
    expect(new Set([...keys, other.host("staging").hostKeyFingerprint]).size).toBe(3);
  });

  test("run a real systemd without a failed unit", () => {
    expect(ssh(lab, "staging", "systemctl is-system-running --wait").stdout).toBe("running\n");
    expect(ssh(lab, "staging", "systemctl --failed --no-legend").stdout).toBe("");
  });

  test("take the password of their user as well, and keep it secret from others of this machine", () => {
    const { sshPasswordPath, privateKeyPath } = lab.host("staging");
    for (const file of [sshPasswordPath, privateKeyPath]) expect(statSync(file).mode & 0o777).toBe(0o600);
    const shadow = ssh(lab, "staging", "sudo getent shadow sluice").stdout.split(":")[1] ?? "";
    const [, kind = "", salt = ""] = shadow.split("$");
    const hash = spawnSync("openssl", ["passwd", `-${kind}`, "-salt", salt, "-stdin"], {
      input: readFileSync(sshPasswordPath),
      encoding: "utf8",
    });
    expect(hash.stdout.trim()).toBe(shadow);
  });

  test("see each other by name and have no way out", () => {
    expect(ssh(lab, "staging", "sudo ping -c1 -W2 source >/dev/null && echo seen").stdout).toBe("seen\n");
    expect(ssh(lab, "staging", "ip route show default").stdout).toBe("");
  });

  test("of two labs have different networks and do not see each other", () => {
    expect(other.network).not.toBe(lab.network);
    expect(ssh(other, "staging", `sudo ping -c1 -W1 ${lab.host("staging").address}`).status).not.toBe(0);
    expect(ssh(other, "staging", "hostname").stdout).toBe("staging\n");
  });

  test("show what was bound into them, read-only where asked", () => {
    expect(ssh(lab, "staging", "ls /checkout").stdout).toContain(path.basename(__filename));
    expect(ssh(lab, "staging", "sudo touch /checkout/x").stderr).toMatch(/Read-only/);
  });

  test("that stage have a copy-on-write file system whose snapshots work", () => {
    const made =
      "sudo sh -ec 'cd /srv; btrfs -q subvolume create a; echo 1 >a/f; btrfs -q subvolume snapshot a b; cat b/f; btrfs -q subvolume delete a b'";
    expect(ssh(lab, "staging", made)).toMatchObject({ stdout: "1\n", stderr: "" });
  });
});

describe("bad days", () => {
  test("what was on disk is there again after a power cut, and the server recovers", async () => {
    const source = lab.host("source");
    await sql("CREATE TABLE analytics.kept (n INT PRIMARY KEY); INSERT INTO analytics.kept VALUES (42)");
    await source.powerOff();
    expect(await source.isRunning()).toBe(false);
    expect(ssh(lab, "source", "true").status).toBe(255);
    await source.start();
    expect(await sql("SELECT n FROM analytics.kept")).toBe("42");
  });

  test("a staging host comes back from shutdown and from power cut with its file system", async () => {
    const staging = lab.host("staging");
    await staging.run(["sh", "-c", "echo 1 >/srv/kept && sync"]);
    await staging.shutDown();
    await staging.start();
    await staging.powerOff();
    await staging.start();
    expect((await staging.run(["cat", "/srv/kept"])).stdout).toBe("1\n");
    expect((await staging.run(["findmnt", "--noheadings", "--output", "FSTYPE", "/srv"])).stdout).toBe("btrfs\n");
  });

  test("a host that cannot start says at once what its console said", async () => {
    const staging = other.host("staging");
    await staging.powerOff();
    await writeFile(path.join(path.dirname(staging.sshPasswordPath), "btrfs.img"), "no file system");
    await expect(staging.start()).rejects.toThrow(/staging of lab test-two ended while it was starting[^]*mount:/);
  });

  test("with the cable out nothing gets through, and orders still reach the host", async () => {
    const staging = lab.host("staging");
    await staging.cutNetwork();
    expect(ssh(lab, "staging", "true").status).toBe(255);
    expect((await staging.run(["hostname"])).stdout).toBe("staging\n");
    await staging.restoreNetwork();
    expect(ssh(lab, "staging", "true", ["-o", "ConnectTimeout=10"]).status).toBe(0);
  });

  test("a paused host takes connections and does not answer until it is resumed", async () => {
    const staging = lab.host("staging");
    await staging.pause();
    expect(ssh(lab, "staging", "true").stderr).toMatch(/timed out/);
    await staging.resume();
    expect(ssh(lab, "staging", "true", ["-o", "ConnectTimeout=10"]).status).toBe(0);
  });
});

describe("the source", () => {
  test("writes rows with GTIDs, has purged its first transactions, and needs TLS from nobody but offers it", async () => {
    expect(await sql("SELECT @@server_id, @@gtid_mode, @@binlog_format, @@log_bin, LENGTH(@@gtid_purged) > 36")).toBe(
      "1001\tON\tROW\t1\t1",
    );
    expect(await sql("SELECT plugin_status FROM information_schema.plugins WHERE plugin_name = 'clone'")).toBe(
      "ACTIVE",
    );
  });

  test("lets the account sluice in from the staging host, its certificate verified, to dump everything", async () => {
    const { mysql } = lab.host("source");
    if (!mysql) throw new Error("the source has a server");
    const options = readFileSync(mysql.optionFile, "utf8").replace(/^ssl-ca=.*$/m, "ssl-ca=/run/ca.pem");
    const staging = lab.host("staging");
    await staging.run(["sh", "-c", "cat >/run/ca.pem"], { stdin: readFileSync(mysql.caPath, "utf8") });
    const dump =
      "cat >/run/client.cnf && mysqldump --defaults-file=/run/client.cnf --all-databases --single-transaction --source-data --routines --events --triggers | tail -1";
    expect((await staging.run(["sh", "-c", `umask 077; ${dump}`], { stdin: options })).stdout).toMatch(
      /^-- Dump completed/,
    );
    expect(statSync(mysql.passwordPath).mode & 0o777).toBe(0o600);
    expect(statSync(mysql.optionFile).mode & 0o777).toBe(0o600);
  });

  test("is under light load without an error, until the load is stopped", async () => {
    const source = lab.host("source");
    const before = Number(await sql("SELECT COUNT(*) FROM shop.payments"));
    const until = `until [ $(mysql -NBe "SELECT COUNT(*) FROM shop.payments") -gt ${before} ]; do :; done`;
    await source.run(["timeout", "20", "sh", "-c", until]);
    const complaints = await source.run(["journalctl", "--unit=shop-load", "--grep=ERROR", "--quiet"], {
      accept: [0, 1],
    });
    expect(complaints.stdout).not.toMatch(/ERROR 1[0-9]{3}/);
    await source.run(["systemctl", "stop", "shop-load"]);
    // Its last visitor may still be asleep in the server; after it nobody comes.
    const visitors = "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'shop'";
    await source.run(["timeout", "10", "sh", "-c", `until [ $(mysql -NBe "${visitors}") = 0 ]; do :; done`]);
    const paid = await sql("SELECT COUNT(*) FROM shop.payments");
    await sql("DO SLEEP(1)");
    expect(await sql("SELECT COUNT(*) FROM shop.payments")).toBe(paid);
  });
});

describe("the command", () => {
  test("tells programs what they need to reach a lab, and no secret", () => {
    const status = cli(["status", "--name", "test-one", "--json"]);
    const [described] = JSON.parse(status.stdout) as { hosts: { name: string; isRunning: boolean }[] }[];
    expect(described?.hosts.map(({ name, isRunning }) => [name, isRunning])).toEqual([
      ["source", true],
      ["staging", true],
    ]);
    for (const file of [lab.host("source").sshPasswordPath, lab.host("source").mysql?.passwordPath ?? ""]) {
      expect(status.stdout).not.toContain(readFileSync(file, "utf8").trim());
    }
  });

  test("hands words behind the host on, quotes and dashes and all", () => {
    expect(cli(["ssh", "--name", "test-one", "staging", "echo", "-n", "a", "b"]).stdout).toBe("a b");
    expect(cli(["mysql", "--name", "test-one", "source", "-N", "-e", "SELECT 'it''s \"here\"'"]).stdout).toBe(
      'it\'s "here"\n',
    );
  });

  test.each([
    [["up", "--name", "No Name"], /is not a name for a lab/],
    [["up", "--hosts", "db"], /is not a name for a lab host/],
    [["status", "--name", "nothing"], /there is no lab nothing[^]*lab -- up --name nothing/],
    [["ssh", "--name", "test-one", "runner"], /has no host runner[^]*--hosts source,staging,runner/],
    [["up", "--data-megabytes", "many"], /is not a size/],
    [["dance"], /usage:/],
    [["up", "--colour"], /Unknown option '--colour'/],
  ])("%j is refused with what to do", (args, words) => {
    const refused = cli(args);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toMatch(words);
    expect(refused.stderr).not.toMatch(/^\s+at /m);
  });

  test("without root it says so and ends with an error", () => {
    const refused = spawnSync(
      "setpriv",
      ["--reuid=65534", "--regid=65534", "--clear-groups", process.execPath, command, "up"],
      { encoding: "utf8", env: { PATH: process.env["PATH"] } },
    );
    expect(refused.stderr).toMatch(/the lab needs root[^]*sudo/);
    expect(refused.status).toBe(1);
  });

  test("as a root that may not mount, as in an unprivileged container, it says so", () => {
    const refused = spawnSync("setpriv", ["--bounding-set=-sys_admin", process.execPath, command, "up"], {
      encoding: "utf8",
    });
    expect(refused.stderr).toMatch(/all of root's capabilities[^]*CAP_SYS_ADMIN[^]*privileged container/);
    expect(refused.status).toBe(1);
  });

  test("without a needed program and without a way to install it, it names the program and its package", () => {
    const hide =
      'mount --bind /dev/null "$(readlink -f "$(command -v debootstrap)")"; mount --bind /dev/null "$(command -v apt-get)"; exec "$@"';
    const refused = spawnSync("unshare", ["--mount", "sh", "-ec", hide, "sh", process.execPath, command, "up"], {
      encoding: "utf8",
    });
    expect(refused.stderr).toMatch(/missing[^]*apt-get update && apt-get install --no-install-recommends debootstrap/);
    expect(refused.status).toBe(1);
  });
});
