import { sh } from "../../provider/host/command";
import type { Host } from "../../provider/host/host";
import { borrowHost } from "../../provider/host/pool";
import type { Service } from "../../provider/host/service/declaration";
import {
  lookAtService,
  makeService,
  readServiceOutput,
  removeService,
  renderService,
  startService,
  stopService,
} from "../../provider/host/service/service";
import { stampOf } from "../../provider/host/service/supervisor-script";
import { periodOf, renderCalendar, type Timer } from "../../provider/host/service/timer";
import { silent } from "../../provider/report";
import { awaitCondition, done, waiting } from "../../provider/wait";
import { addressOf, closeHosts, requireLab } from "./managed-server";

jest.setTimeout(180_000);

const folder = "/srv/service-test";
let host: Host;
const made: Service[] = [];
const stopping = { object: "the service", withinSeconds: 20, allowKill: true, report: silent };

beforeAll(async () => {
  host = borrowHost(await addressOf((await requireLab()).host("staging"))).host;
});

afterAll(async () => {
  try {
    for (const service of made.splice(0)) {
      await stopService(host, service, stopping);
      await removeService(host, service);
    }
    await host.run(sh`rm -rf ${folder}`);
  } finally {
    await closeHosts();
  }
});

const supervisors = ["systemd", "process"] as const;

/** A shell script as a service of user `daemon`, who may write only to `out`. */
async function serviceOf(name: string, script: string, changes: Partial<Service>): Promise<Service> {
  const program = `${folder}/${name}.sh`;
  const out = `${folder}/out`;
  await host.run(sh`mkdir -p ${folder} && install -d -o daemon ${out} && rm -f ${`${out}/${name}`}`);
  await host.writeFile(program, `#!/bin/sh\nexec >>${out}/${name} 2>&1\n${script}\n`, { mode: 0o755 });
  const service: Service = {
    name: `sluice-test-${name}`,
    supervisor: "systemd",
    asRoot: true,
    user: "daemon",
    knownBy: program,
    files: { script: `${folder}/${name}.supervise`, state: `${out}/${name}.state`, output: `${out}/${name}.output` },
    owner: "tests/live/service",
    description: `test ${name}`,
    type: "exec",
    command: [program],
    writable: [out],
    reads: [folder],
    mounts: [folder],
    startsWithMachine: true,
    ...changes,
  };
  made.push(service);
  expect(await makeService(host, service)).toEqual({ changed: true });
  expect(await makeService(host, service)).toEqual({ changed: false });
  return service;
}

const wrote = async (name: string) =>
  (await host.run(sh`cat ${`${folder}/out/${name}`} 2>/dev/null; exit 0`)).stdout.split("\n").slice(0, -1);

const until = (what: string, withinSeconds: number, holds: () => Promise<boolean>): Promise<undefined> =>
  awaitCondition<undefined>({
    object: "the service",
    what,
    withinSeconds,
    everyMillis: 500,
    check: async () => ((await holds()) ? done(undefined) : waiting("not yet")),
  });

const minuteSeconds = 75; // the next full minute, and the machine is busy

describe.each(supervisors)("a timed service under %s", (supervisor) => {
  const name = `timed-${supervisor}`;
  let service: Service;

  test("waits for its time and runs when it comes", async () => {
    service = await serviceOf(name, "id -un", { supervisor, type: "oneshot", timer: { everyMinutes: 1 } });
    await startService(host, service);
    await until("its timer", 10, async () => (await lookAtService(host, service)).running);
    expect(await wrote(name)).toEqual([]);
    expect((await lookAtService(host, service)).enabled).toBe(supervisor === "systemd");
    await until("its run", minuteSeconds, async () => (await wrote(name)).length > 0);
    expect(await wrote(name)).toEqual(["daemon"]);
    expect(await lookAtService(host, service)).toMatchObject({ running: true, exit: null });
  });

  test("makes up for a run that it missed, once", async () => {
    await stopService(host, service, stopping);
    expect(await lookAtService(host, service)).toMatchObject({ running: false, enabled: false });
    const timer: Timer = { at: ["00:00"] };
    service = { ...service, timer };
    await makeService(host, service);
    const before = (await wrote(name)).length;
    // As if the machine had been down for two days.
    const twoDaysAgo = Math.floor(Date.now() / 1000) - 2 * 86_400;
    if (supervisor === "systemd")
      await host.run(sh`touch -d ${`@${twoDaysAgo}`} ${`/var/lib/systemd/timers/stamp-${service.name}.timer`}`);
    else await host.run(sh`echo ${twoDaysAgo} >${stampOf(service)}`);
    await startService(host, service);
    await until("the run that was missed", 20, async () => (await wrote(name)).length > before);
    await stopService(host, service, stopping);
    await startService(host, service);
    await until("its timer", 10, async () => (await lookAtService(host, service)).running);
    expect(await wrote(name)).toHaveLength(before + 1);
  });

  test("leaves nothing after its removal", async () => {
    await stopService(host, service, stopping);
    await removeService(host, service);
    await removeService(host, service);
    const { stdout } = await host.run(
      sh`ls /etc/systemd/system /etc/systemd/system/*.wants /var/lib/systemd/timers ${folder} ${folder}/out 2>/dev/null | grep -F -e ${service.name} -e ${`${name}.s`} -e ${`${name}.output`}; exit 0`,
    );
    expect(stdout).toBe(`${name}.sh\n`);
  });
});

test("two services of one directory run side by side, each with its own end", async () => {
  for (const supervisor of supervisors) {
    const [one, other] = [
      await serviceOf(`one-${supervisor}`, "echo begun; exec sleep 1000", { supervisor }),
      await serviceOf(`other-${supervisor}`, "echo begun; exit 3", { supervisor }),
    ];
    await startService(host, one);
    await startService(host, other);
    const exit = supervisor === "systemd" ? "exit code 3, exit-code" : "exit code 3";
    await until("the end of the other", 20, async () => (await lookAtService(host, other)).exit === exit);
    expect(await lookAtService(host, one)).toMatchObject({ running: true, exit: null });
    await stopService(host, one, stopping);
    expect((await lookAtService(host, one)).running).toBe(false);
  }
});

test("a service under systemd writes nowhere but to its own directories, and gains no privilege", async () => {
  await host.run(sh`mkdir -p ${folder} && install -d -m 777 ${`${folder}/open`}`);
  const script = `touch ${folder}/open/file; grep -e NoNewPrivs -e CapBnd /proc/self/status; ls /home`;
  const service = await serviceOf("hardened", script, {});
  await startService(host, service);
  await until("its end", 20, async () => (await wrote("hardened")).length > 3);
  const [touched = "", ...others] = await wrote("hardened");
  expect(touched).toContain("Read-only file system");
  expect(others.join("\n")).toMatch(/^CapBnd:\s+0+\nNoNewPrivs:\s+1\nls: .*\/home.*denied/);
});

test("a unit that was written and never reloaded is started as it was written", async () => {
  const service = await serviceOf("reloaded", "echo $1", { command: [`${folder}/reloaded.sh`, "before"] });
  const after = { ...service, command: [`${folder}/reloaded.sh`, "after"] };
  await host.run(sh`systemctl show ${service.name} -p ActiveState`); // now systemd has read the unit
  for (const { path, mode, text } of renderService(after)) await host.writeFile(path, text, { mode });
  await startService(host, after);
  await until("its end", 20, async () => (await wrote("reloaded")).length > 0);
  expect(await wrote("reloaded")).toEqual(["after"]);
});

test("a command that cannot be run is told by its exit and its output", async () => {
  const service = await serviceOf("missing", "", { command: ["/nonexistent/program"] });
  await startService(host, service);
  await until("its end", 20, async () => (await lookAtService(host, service)).exit !== null);
  expect((await lookAtService(host, service)).exit).toBe("exit code 203, exit-code"); // EXIT_EXEC, systemd.exec(5)
  expect((await readServiceOutput(host, service, 20)).join("\n")).toContain("No such file");
});

test.each<Timer>([
  { everyMinutes: 15 },
  { everyMinutes: 60 },
  { everyMinutes: 480 },
  { at: ["02:30", "14:00"] },
  { at: ["11:00"], on: ["Mon", "Sat"] },
])("systemd and the supervisor read the same moments in %j", async (timer) => {
  const from = Date.parse("2026-11-21T12:00:00Z") / 1000;
  const { periodSeconds, offsetSeconds } = periodOf(timer);
  const ours = offsetSeconds.map((at) => Math.floor((from - at) / periodSeconds + 1) * periodSeconds + at);
  const { stdout } = await host.run(
    sh`TZ=UTC systemd-analyze calendar --base-time=${"2026-11-21 12:00:00 UTC"} ${renderCalendar(timer)}`,
  );
  const theirs = [...stdout.matchAll(/Next elapse: \w+ (\S+) (\S+) UTC/g)].map(([, day, time]) =>
    Date.parse(`${String(day)}T${String(time)}Z`),
  );
  expect(Math.min(...theirs)).toBe(Math.min(...ours) * 1000);
});
