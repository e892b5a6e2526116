import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseSubnet } from "../../lab/address.ts";
import { findLab, startLab, stopLab, type Lab } from "../../lab/index.ts";
import { findTraces } from "./lab-traces";

const name = "test-crash";
const options = { name, dataMegabytes: 5 };
const command = path.join(__dirname, "../../lab/lab.ts");

const subnetOf = (lab: Lab) => parseSubnet(lab.host("source").address) ?? -1;
const pidOne = async (lab: Lab, host: string) =>
  (await lab.host(host).run(["stat", "--format=%Y", "/proc/1"])).stdout.trim();

afterAll(() => stopLab(name));

test("down leaves nothing of a lab, and a second down has nothing to do", async () => {
  const lab = await startLab({ ...options, hosts: ["source", "staging", "runner"] });
  expect(findTraces(name, subnetOf(lab)).length).toBeGreaterThan(0);
  await stopLab(name);
  expect(findTraces(name, subnetOf(lab))).toEqual([]);
  await stopLab(name);
  expect(await findLab(name)).toBeUndefined();
});

test("up twice changes nothing that runs; two at once make one lab", async () => {
  const ups = await Promise.all([runCommand(["up"]), runCommand(["up"])]);
  expect(ups.map(({ code }) => code)).toEqual([0, 0]);
  const lab = await startLab(options);
  const before = [await pidOne(lab, "source"), lab.host("source").hostKeyFingerprint];
  const again = await startLab(options);
  expect([await pidOne(again, "source"), again.host("source").hostKeyFingerprint]).toEqual(before);
});

// From the first moments (network, disks) over the boot to the account on the source: an up on warm caches takes about 2 s.
test.each([60, 250, 600, 1_100, 1_700])("an up killed after %i ms is completed by the next one", async (millis) => {
  await stopLab(name);
  const up = startCommand(["up"]);
  await new Promise((resolve) => setTimeout(resolve, millis));
  up.child.kill("SIGKILL");
  await up.ended;
  const lab = await startLab(options);
  const server = await lab
    .host("source")
    .run(["mysql", "--batch", "--skip-column-names"], { stdin: "SELECT COUNT(*) > 0 FROM shop.orders" });
  expect(server.stdout.trim()).toBe("1");
  expect(readFileSync(lab.host("source").mysql?.optionFile ?? "", "utf8")).toContain("password=");
  await stopLab(name);
  expect(findTraces(name, subnetOf(lab))).toEqual([]);
});

test("up mends a lab whose supervisor was killed, whose cable was pulled, and whose host hangs", async () => {
  const lab = await startLab({ ...options, hosts: ["source", "staging", "runner"] });
  const supervisor = spawnSync("pgrep", ["--full", `machine=sluice.${name}.staging`], {
    encoding: "utf8",
  }).stdout.trim();
  process.kill(Number(supervisor), "SIGKILL");
  await lab.host("source").cutNetwork();
  await lab.host("runner").pause();
  const mended = await startLab(options);
  for (const host of ["source", "staging", "runner"]) expect(await logIn(mended, host)).toBe("");
  await stopLab(name);
  expect(findTraces(name, subnetOf(lab))).toEqual([]);
});

test("up makes the network anew when somebody removed it", async () => {
  const lab = await startLab(options);
  spawnSync("ip", ["link", "delete", "dev", `sluice${subnetOf(lab)}`]);
  expect(await logIn(await startLab(options), "staging")).toBe("");
});

function startCommand(args: readonly string[]) {
  const all = [command, ...args, "--name", name, "--data-megabytes", String(options.dataMegabytes)];
  const child = spawn(process.execPath, all, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += String(text)));
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => {
    child.on("close", (code) => resolve({ code, output }));
  });
  return { child, ended };
}

function runCommand(args: readonly string[]) {
  return startCommand(args).ended;
}

/** What ssh complains about; empty when it lets us in. */
async function logIn(lab: Lab, host: string): Promise<string> {
  const ssh = spawnSync("ssh", ["-F", lab.sshConfigPath, "-o", "ConnectTimeout=5", host, "true"], { encoding: "utf8" });
  return ssh.stderr;
}
