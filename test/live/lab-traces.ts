import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Everything on this machine that names the lab: an empty list is what `down` promises. */
export function findTraces(lab: string, subnet: number): string[] {
  const names = [`sluice-lab/${lab}/`, `sluice.${lab}.`, `sluice-lab/${lab}\n`];
  const isOurs = (line: string) => names.some((name) => `${line}\n`.includes(name)) || line.endsWith(`sluice.${lab}`);
  const traces: string[] = [];
  const keep = (kind: string, lines: readonly string[]) =>
    traces.push(...lines.filter(isOurs).map((line) => `${kind}: ${line}`));
  keep(
    "state",
    list("/var/lib/sluice-lab").map((name) => `/var/lib/sluice-lab/${name}`),
  );
  keep(
    "namespace",
    list("/run/netns").map((name) => `sluice.${name.replace(/^sluice\./, "")}`),
  );
  keep("container", [...list("/run/systemd/nspawn/propagate"), ...list("/run/systemd/nspawn/unix-export")]);
  keep("loop device", execFileSync("losetup", ["--all", "--noheadings"], { encoding: "utf8" }).split("\n"));
  keep(
    "control group",
    execFileSync("find", ["/sys/fs/cgroup", "-type", "d", "-path", "*sluice-lab*"], { encoding: "utf8" }).split("\n"),
  );
  for (const pid of list("/proc").filter((name) => /^\d+$/.test(name))) {
    // Dead already, and only not yet collected by a parent that is not ours: this machine's pid 1.
    if (/^State:\s+Z/m.test(read(`/proc/${pid}/status`))) continue;
    const command = read(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
    if (Number(pid) !== process.pid) keep(`process ${pid}`, [command]);
    keep(`group of process ${pid} (${command})`, read(`/proc/${pid}/cgroup`).split("\n"));
    keep(`mount seen by process ${pid} (${command})`, read(`/proc/${pid}/mountinfo`).split("\n"));
  }
  if (existsSync(`/sys/class/net/sluice${subnet}`)) traces.push(`link: sluice${subnet}`);
  return traces;
}

function list(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

/** A process can end while it is looked at. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
