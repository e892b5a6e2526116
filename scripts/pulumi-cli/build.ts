import { chmodSync, copyFileSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { runQuietly, startTicker } from "./run";

const root = resolve(__dirname, "..", "..");

interface GoProgram {
  readonly name: string;
  /** Folder with the go.mod and go.sum that pin and checksum every module. */
  readonly module: string;
  readonly goPackage: string;
}

/** Why these modules in these versions: docs/decisions/0002-pulumi-cli.md. */
const programs: readonly GoProgram[] = [
  {
    name: "pulumi-language-nodejs",
    module: join(__dirname, "pulumi-language-nodejs"),
    goPackage: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
  },
  { name: "pulumi", module: join(__dirname, "pulumi"), goPackage: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi" },
];

type Say = (text: string) => void;

/** Builds the CLI and its Node language host from their Go modules into `fresh`, which it returns. About 5 minutes on 2 cores, once. */
export async function buildCli(version: string, fresh: string, say: Say): Promise<string> {
  await requireGo(version);
  say(
    `building the Pulumi CLI ${version} from its Go modules; the first time takes about 5 minutes and 4 GB of Go's caches`,
  );
  for (const program of programs) await buildProgram(program, version, join(fresh, program.name), say);
  const resourceHost = join(fresh, "pulumi-resource-pulumi-nodejs");
  copyFileSync(join(root, "node_modules", "@pulumi", "pulumi", "pulumi-resource-pulumi-nodejs"), resourceHost);
  chmodSync(resourceHost, 0o755);
  return fresh;
}

async function requireGo(version: string): Promise<void> {
  const needed = programs.map(
    ({ module }) => /^go (\S+)$/m.exec(readFileSync(join(module, "go.mod"), "utf8"))?.[1] ?? "",
  );
  const { exitCode, stdout } = await runQuietly("go", ["env", "GOVERSION"], goEnvironment);
  const [least] = needed.sort((one, other) => other.localeCompare(one, "en", { numeric: true }));
  const found = exitCode === 0 ? stdout.trim().replace(/^go/, "") : undefined;
  if (found !== undefined && found.localeCompare(least ?? "", "en", { numeric: true }) >= 0) return;
  throw new Error(
    [
      `no Pulumi CLI is available here: ${found === undefined ? "there is no Go" : `Go is ${found}, ${least} is needed`} to build it`,
      `  fix     put pulumi ${version} on PATH (https://www.pulumi.com/docs/install/), or install Go ${least} or newer (https://go.dev/dl/)`,
    ].join("\n"),
  );
}

/** The build depends only on its own settings: no other Go version, no workspace, no C compiler. */
const goEnvironment = { CGO_ENABLED: "0", GOTOOLCHAIN: "local", GOWORK: "off" };

async function buildProgram(program: GoProgram, version: string, target: string, say: Say): Promise<void> {
  let downloaded = 0;
  let compiled = 0;
  const onStderrLine = (line: string) => {
    if (line.startsWith("go: downloading")) downloaded += 1;
    else if (!line.startsWith("go: ")) compiled += 1;
  };
  const go = async (doing: () => string, args: readonly string[]) => {
    say(doing());
    const stop = startTicker(say, doing);
    const result = await runQuietly("go", args, goEnvironment, { cwd: program.module, onStderrLine }).finally(stop);
    if (result.exitCode !== 0) throw new Error(`${program.name}: go ${args[0] ?? ""} failed\n${result.stderr}`);
    return result.stdout;
  };

  const tags = ["-mod=readonly", "-tags", "osusergo,grpcnotrace"];
  const listed = await go(
    () => `${program.name}: downloading Go modules, ${downloaded} so far`,
    ["list", "-deps", ...tags, program.goPackage],
  );
  const packages = listed.trim().split("\n").length;
  const versionFlag = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`;
  await go(
    () => `${program.name}: compiling and linking, ${compiled} packages done of ${packages} at most`,
    [
      "build",
      "-v",
      "-trimpath",
      "-buildvcs=false",
      ...tags,
      "-ldflags",
      `-w -s ${versionFlag}`,
      "-o",
      target,
      program.goPackage,
    ],
  );
}
