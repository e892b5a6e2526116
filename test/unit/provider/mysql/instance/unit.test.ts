import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderUnit } from "../../../../../provider/mysql/instance/unit";
import { binariesOf, instanceOf } from "./builders";

test("the unit of a server", () => {
  expect(renderUnit(instanceOf({ memoryMaxBytes: 2 ** 30 }))).toMatchInlineSnapshot(`
   "# Made by sluice for shop/dev/orders. Change the declaration, not this file.
   [Unit]
   Description=MySQL server in /srv/mysql/orders (sluice, shop/dev/orders)
   Wants=network-online.target
   After=network-online.target
   RequiresMountsFor=/srv/mysql/orders/data
   StartLimitIntervalSec=600
   StartLimitBurst=5

   [Service]
   Type=notify
   User=mysql
   # A lock of before a crash names a process number that anybody may have now; mysqld would refuse to start.
   ExecStartPre=/bin/rm -f /srv/mysql/orders/run/mysqld.sock.lock
   ExecStart=/usr/sbin/mysqld --defaults-file=/srv/mysql/orders/my.cnf
   # RESTART and CLONE end mysqld with 16 and want it started again.
   Environment=MYSQLD_PARENT_PID=1
   Restart=on-failure
   RestartForceExitStatus=16
   RestartPreventExitStatus=1
   TimeoutStartSec=infinity
   TimeoutStopSec=infinity
   SendSIGKILL=no
   # The hard limit systemd itself uses; mysqld takes what its tables and connections need.
   LimitNOFILE=524288
   MemoryMax=1073741824
   UMask=0027
   ProtectSystem=strict
   ReadWritePaths=/srv/mysql/orders/data /srv/mysql/orders/run /srv/mysql/orders/log /srv/mysql/orders/tmp
   ProtectHome=yes
   PrivateTmp=yes
   PrivateDevices=yes
   NoNewPrivileges=yes
   CapabilityBoundingSet=
   ProtectKernelTunables=yes
   ProtectKernelModules=yes
   ProtectKernelLogs=yes
   ProtectControlGroups=yes
   ProtectClock=yes
   ProtectHostname=yes
   RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
   RestrictNamespaces=yes
   RestrictRealtime=yes
   RestrictSUIDSGID=yes
   LockPersonality=yes

   [Install]
   WantedBy=multi-user.target
   "
  `);
});

test("a unit hides home and temporary directories only where neither the server nor its program is there", () => {
  const unitOf = (directory: string, mysqld = "/usr/sbin/mysqld") =>
    renderUnit(instanceOf({ directory, binaries: binariesOf({ mysqld }) }));
  expect(unitOf("/srv/x")).toMatch(/ProtectHome=yes\nPrivateTmp=yes/);
  expect(unitOf("/home/ana/x")).not.toContain("ProtectHome");
  expect(unitOf("/srv/x", "/root/mysql/bin/mysqld")).not.toContain("ProtectHome");
  expect(unitOf("/homely/x")).toContain("ProtectHome");
  expect(unitOf("/tmp/x")).not.toContain("PrivateTmp");
  expect(unitOf("/var/tmp/x")).not.toContain("PrivateTmp");
});

test("paths with spaces, quotes and percent signs mean themselves in a unit", () => {
  const unit = renderUnit(instanceOf({ directory: '/srv/100% "pure" orders' }));
  expect(unit).toContain('ExecStart=/usr/sbin/mysqld "--defaults-file=/srv/100%% \\"pure\\" orders/my.cnf"');
  expect(unit).toContain("Description=MySQL server in /srv/100%% ");
});

test("a mysqld that does not tell when it is ready is taken for started when it runs", () => {
  expect(renderUnit(instanceOf({ binaries: binariesOf({ notifies: false }) }))).toContain("Type=exec\n");
});

describe("the supervisor where there is no systemd", () => {
  const directory = mkdtempSync(join(tmpdir(), "sluice supervisor-"));
  mkdirSync(join(directory, "run"));
  mkdirSync(join(directory, "log"));
  const program = join(directory, "mysqld");
  const state = () =>
    readFileSync(join(directory, "run", "supervisor"), "utf8")
      .trim()
      .split(" ");
  const starts = () => readFileSync(join(directory, "starts"), "utf8").trim().split("\n").length;

  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  /** A program in mysqld's place, which ends with the codes given, one a start. */
  function write(body: string): string {
    writeFileSync(program, `#!/bin/sh\necho "$1" >>'${directory}/starts'\n${body}\n`);
    chmodSync(program, 0o755);
    rmSync(join(directory, "starts"), { force: true });
    const instance = instanceOf({
      directory,
      runtime: { osUser: "ana", connectedUser: "ana", supervisor: "process", asRoot: false },
      binaries: binariesOf({ mysqld: program }),
    });
    const script = join(directory, "supervise.sh");
    writeFileSync(script, renderUnit(instance));
    return script;
  }

  const ends = (codes: string) => `n=$(wc -l <'${directory}/starts'); set -- ${codes}; shift $((n - 1)); exit "$1"`;

  test.each([
    ["16 16 0", 3, "0"],
    ["1", 1, "1"],
    ["139 16 0", 3, "0"],
    ["2 2 2 2 2 2 2", 5, "2"],
  ])("mysqld ends with %s: started %i times", (codes, times, last) => {
    spawnSync("sh", [write(ends(codes))]);
    expect(starts()).toBe(times);
    expect(state().slice(2)).toEqual(["ended", last]);
    expect(readFileSync(join(directory, "starts"), "utf8").split("\n")[0]).toBe(`--defaults-file=${directory}/my.cnf`);
  });

  test("TERM ends mysqld in order, and it is not started again", async () => {
    const script = write("trap 'sleep 0.2; exit 0' TERM; while :; do sleep 0.05; done");
    const supervisor = spawn("sh", [script], { stdio: "ignore" });
    const ended = new Promise((resolve) => supervisor.once("exit", resolve));
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        try {
          if (starts() > 0) {
            clearInterval(timer);
            resolve();
          }
        } catch {
          // not started yet
        }
      }, 20);
    });
    supervisor.kill("SIGTERM");
    await ended;
    expect(starts()).toBe(1);
    expect(state().slice(2)).toEqual(["ended", "0"]);
  });
});
