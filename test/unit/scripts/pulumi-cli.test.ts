import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { cliFiles, environmentOf, isAtLeast, requirePulumi } from "../../../scripts/pulumi-cli/cli";

const root = resolve(__dirname, "..", "..", "..");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly devDependencies: Readonly<Record<string, string>>;
};
const pinned = manifest.devDependencies["pulumi"] ?? "";

describe("the Pulumi CLI", () => {
  let folder = "";
  const before = { ...process.env };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-cli-"));
    process.env["PULUMI_HOME"] = join(folder, "home");
    process.env["PATH"] = [join(folder, "bin"), "/usr/bin", "/bin"].join(delimiter);
    placeCli(join(folder, "home", "versions", pinned, "bin"), pinned);
  });

  afterEach(() => {
    process.env = { ...before };
    rmSync(folder, { recursive: true });
  });

  test("is the one on PATH when that is new enough", async () => {
    placeCli(join(folder, "bin"), "3.260.1");
    expect(await requirePulumi(fail)).toEqual({
      program: join(folder, "bin", "pulumi"),
      folder: join(folder, "bin"),
      version: "3.260.1",
    });
  });

  test.each([
    ["it is too old", () => placeCli(join(folder, "bin"), "3.248.9")],
    ["its Node language host is missing", () => placeCli(join(folder, "bin"), "3.260.1", ["pulumi"])],
    ["it does not run", () => placeCli(join(folder, "bin"), "3.260.1", cliFiles, "exit 1")],
    ["there is none", () => undefined],
  ])("is the pinned one where the one on PATH is no use: %s", async (_why, place) => {
    place();
    expect(await requirePulumi(fail)).toMatchObject({ folder: join(folder, "home", "versions", pinned, "bin") });
  });

  test("is never the npm launcher, which would start a download when asked for its version", async () => {
    const launcher = join(folder, "node_modules", "pulumi");
    placeCli(launcher, "3.260.1");
    process.env["PATH"] = [launcher, "/usr/bin", "/bin"].join(delimiter);
    expect(await requirePulumi(fail)).toMatchObject({ version: pinned });
  });

  test("finds its own language host and our Node before anything else on PATH", () => {
    const cli = { program: "/opt/cli/pulumi", folder: "/opt/cli", version: "3.260.0" };
    const path = environmentOf(cli, { PATH: "/usr/bin" })["PATH"];
    expect(path).toBe(["/opt/cli", join(root, "node_modules", ".bin"), "/usr/bin"].join(delimiter));
  });

  test("is built for the version that the launcher looks for and the tests use as SDK", () => {
    const goModule = readFileSync(join(root, "scripts", "pulumi-cli", "pulumi", "go.mod"), "utf8");
    expect(goModule).toContain(`github.com/pulumi/pulumi/pkg/v3 v${pinned}`);
    expect(manifest.devDependencies["@pulumi/pulumi"]).toBe(pinned);
  });
});

test.each([
  ["3.249.0", "3.249.0", true],
  ["3.249.1", "3.249.0", true],
  ["3.1000.0", "3.249.0", true],
  ["4.0.0", "3.249.0", true],
  ["3.248.9", "3.249.0", false],
  ["2.999.0", "3.249.0", false],
  ["3.250.0-alpha.1", "3.249.0", true],
  ["garbage", "3.249.0", false],
])("version %s is at least %s: %s", (version, least, expected) => {
  expect(isAtLeast(version, least)).toBe(expected);
});

/** Programs that only know their version. */
function placeCli(folder: string, version: string, files: readonly string[] = cliFiles, does = `echo v${version}`) {
  mkdirSync(folder, { recursive: true });
  for (const file of files) {
    writeFileSync(join(folder, file), `#!/bin/sh\n${does}\n`);
    chmodSync(join(folder, file), 0o755);
  }
}

const fail = (text: string): never => {
  throw new Error(`nothing was to be installed: ${text}`);
};
