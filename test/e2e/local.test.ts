import path from "node:path";
import { startLab, stopLab, type LabHost } from "../../lab/index.ts";

const checkout = path.resolve(__dirname, "..", "..");
const labName = "local-mode";
const home = "/home/plain";

/** A machine without root for its user: no lab can run there, but a mysqld is installed. */
let machine: LabHost;

beforeAll(async () => {
  const lab = await startLab({
    name: labName,
    hosts: ["runner"],
    binds: [
      { from: checkout, to: "/checkout", readOnly: true },
      {
        from: path.join(process.env["PULUMI_HOME"] ?? path.join(process.env["HOME"] ?? "/root", ".pulumi"), "versions"),
        to: "/cli",
        readOnly: true,
      },
    ],
  });
  machine = lab.host("runner");
  // What the user has of the project: a checkout, dependencies installed.
  await machine.run([
    "sh",
    "-c",
    `
    useradd --create-home plain
    mkdir ${home}/sluice ${home}/.pulumi && ln -s /cli ${home}/.pulumi/versions
    cd /checkout && tar cf - --exclude=./.git --exclude=./.cache --exclude=./node_modules . | tar xf - -C ${home}/sluice
    rm -f ${home}/sluice/Pulumi.*.yaml
    mkdir ${home}/sluice/node_modules && cd /checkout/node_modules
    for entry in * .bin; do ln -s "/checkout/node_modules/$entry" ${home}/sluice/node_modules/; done
    ln -sfn .. ${home}/sluice/node_modules/pulumi-sluice
    chown -R plain:plain ${home}`,
  ]);
}, 120_000);

afterAll(() => stopLab(labName));

const quickstart = (what: "up" | "down", accept: readonly number[] = [0]) =>
  machine.run(
    [
      "runuser",
      "-u",
      "plain",
      "--",
      "sh",
      "-c",
      `
    cd ${home}/sluice
    PATH=/checkout/node_modules/node/bin:$PATH node --require ./scripts/typescript.cjs scripts/quickstart.ts ${what} 2>&1`,
    ],
    { accept },
  );

test("where neither a lab nor a mysqld is there, the quick start says what is missing and how to get it", async () => {
  await machine.run(["mv", "/usr/sbin/mysqld", "/usr/sbin/mysqld.away"]);
  const { exitCode, stdout } = await quickstart("up", [1]);
  await machine.run(["mv", "/usr/sbin/mysqld.away", "/usr/sbin/mysqld"]);
  expect(exitCode).toBe(1);
  expect(stdout).toContain(
    "needs either Linux with root, for its lab of two hosts, or a mysqld >= 8.0 on this machine",
  );
  expect(stdout).toContain("sudo npm run quickstart");
});

test("the quick start runs without root or a lab, changes nothing the second time, and leaves nothing", async () => {
  const first = await quickstart("up");
  expect(first.stdout).toContain("no lab: the lab needs root");
  expect(first.stdout).toMatch(/\+ local:3317 +shop .* ro +ROW +GTID +running/);
  expect(first.stdout).toMatch(/written on the source, arrived on staging after/);

  const second = await quickstart("up");
  expect(second.stdout).toContain("3 unchanged");
  expect(second.stdout).not.toContain("updating (");

  await quickstart("down");
  const left = await machine.run([
    "sh",
    "-c",
    `pgrep -x mysqld; ls -d ${home}/sluice-quickstart ${home}/.local/state/sluice/quickstart 2>/dev/null; true`,
  ]);
  expect(left.stdout).toBe("");
}, 300_000);
