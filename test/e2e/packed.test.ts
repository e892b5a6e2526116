import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { environmentOf, requirePulumi } from "../../scripts/pulumi-cli/cli";
import { startDynamicHost, type CallFailure } from "../harness/dynamic-host";
import { installPackage, packPackage } from "../harness/packed";

const run = promisify(execFile);
const root = path.resolve(__dirname, "..", "..");

/** The ends of the peer range that were tried; package.json says the range. */
const oldest = "3.249.0";
const newest = "3.270.0";

let folder: string;
let tarball: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sluice-pack-"));
  tarball = await packPackage(folder);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("the package holds what a program needs, and nothing of this machine", async () => {
  const { stdout } = await run("tar", ["tzf", tarball]);
  const names = stdout
    .trim()
    .split("\n")
    .map((name) => name.replace(/^package\//, ""));
  expect(names).toEqual(
    expect.arrayContaining([
      "package.json",
      "README.md",
      "LICENSE",
      "dist/resources/index.js",
      "dist/resources/index.d.ts",
      "dist/resources/dynamic.js",
    ]),
  );
  expect(
    names.filter(
      (name) => !/^(package\.json|README\.md|LICENSE|dist\/(resources|provider|commands)\/.*\.(js|d\.ts))$/.test(name),
    ),
  ).toEqual([]);
  const unpacked = path.join(folder, "unpacked");
  await mkdir(unpacked);
  await run("tar", ["xzf", tarball, "-C", unpacked]);
  const texts = await Promise.all(names.map((name) => readFile(path.join(unpacked, "package", name), "utf8")));
  expect(texts.filter((text) => text.includes(root))).toEqual([]);
});

test("the peer range begins and goes as far as it is tried", async () => {
  const manifest = JSON.parse(await readFile(path.join(root, "package.json"), "utf8")) as {
    peerDependencies: Record<string, string>;
  };
  expect(manifest.peerDependencies["@pulumi/pulumi"]).toBe(`>=${oldest} <4`);
});

const beside = (kind: string) => ({
  __provider: `exports.handler = () => require("pulumi-sluice/dynamic").provider("${kind}");`,
  __urn: `urn:pulumi:dev::shop::pulumi-nodejs:dynamic/sluice:${kind}::orders`,
  __preview: true,
});

const staging = {
  host: { address: "127.0.0.1", port: 1, password: "x", hostKey: "SHA256:LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE" },
  directory: "/srv/mysql/orders",
  seed: "none",
};

describe.each([
  ["npm", oldest],
  ["pnpm", newest],
] as const)("installed by %s beside @pulumi/pulumi %s", (installer, sdk) => {
  let program: string;

  beforeAll(async () => {
    program = await installPackage(tarball, installer, sdk);
  });

  test("it is that SDK which the program's folder has", async () => {
    const manifest = JSON.parse(
      await readFile(path.join(program, "node_modules/@pulumi/pulumi/package.json"), "utf8"),
    ) as { version: string };
    expect(manifest.version).toBe(sdk);
  });

  test("checks, plans and prints in Pulumi's provider process", async () => {
    await using host = await startDynamicHost(program);
    const { inputs, failures } = await host.check({ ...staging, ...beside("StagingDatabase") });
    expect(failures).toEqual([]);
    expect(inputs).toMatchObject({ port: 3306, socket: "/srv/mysql/orders/run/mysqld.sock" });
    expect(host.lines[0]?.text).toMatch(/^staging database .*: \d+ steps\n/);
    expect(host.printed()).toBe("");
  });

  test("brings its drivers: it reaches for the host, and says in words that nobody is there", async () => {
    await using host = await startDynamicHost(program);
    const { inputs } = await host.check({ ...staging, ...beside("StagingDatabase") });
    const failure = await host.create(inputs).then(
      () => undefined,
      (error: unknown) => error as CallFailure,
    );
    expect(failure?.message).toContain("(HOST_UNREACHABLE)");
    expect(failure?.initFailed).toBeUndefined();
  });

  test("a program in TypeScript compiles against it, and the real CLI previews its plan", async () => {
    await writeFile(path.join(program, "index.ts"), source);
    await writeFile(path.join(program, "Pulumi.yaml"), "name: packed\nruntime: nodejs\n");
    await writeFile(path.join(program, "tsconfig.json"), tsconfig);
    await run(process.execPath, [path.join(program, "node_modules/typescript/bin/tsc"), "--noEmit", "-p", program]);

    const cli = await requirePulumi(() => undefined);
    await mkdir(path.join(program, "backend"));
    const env = {
      ...environmentOf(cli),
      PULUMI_BACKEND_URL: `file://${path.join(program, "backend")}`,
      PULUMI_CONFIG_PASSPHRASE: "x",
      PULUMI_HOME: path.join(program, "home"),
    };
    const pulumi = (...words: string[]) =>
      run(cli.program, [...words, "--non-interactive", "--color", "never"], { cwd: program, env });
    await pulumi("stack", "init", "dev");
    const { stdout } = await pulumi("preview");
    expect(stdout).toMatch(/StagingDatabase \(orders\):\n +staging database orders@stage-1.*: \d+ steps/);
    expect(stdout).toMatch(/ReplicationChannel \(orders\):\n +channel orders@/);
    expect(stdout).toContain("+ 3 to create");
    expect(stdout).not.toContain("the-password");
  });
});

const source = `
import { ReplicationChannel, StagingDatabase } from "pulumi-sluice";

const source = { address: "db-1", user: "sync", password: "the-password" };
const orders = new StagingDatabase("orders", {
  host: { address: "stage-1", hostKey: "SHA256:x" },
  directory: "/srv/mysql/orders",
  source,
});
new ReplicationChannel("orders", { replica: orders.server, source, start: orders.seedPosition });
export const version = orders.version;
export const account = [orders.user, orders.passwordFile];
`;

const tsconfig = JSON.stringify({
  compilerOptions: { target: "ES2022", module: "nodenext", moduleResolution: "nodenext", strict: true, types: [] },
});
