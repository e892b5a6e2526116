// npm run check: everything that can be said about the code without running it. Two steps at a time, for two cores.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { formattedFiles } from "./format";

interface Check {
  readonly name: string;
  /** What to do when it fails. */
  readonly fix: string;
  readonly args: readonly string[];
}

const root = resolve(__dirname, "..");
const cache = join(root, "node_modules", ".cache");
const bin = (...path: readonly string[]) => join(root, "node_modules", ...path);
const loader = ["--require", join(root, "scripts", "typescript.cjs")];

const checks: readonly Check[] = [
  {
    name: "lint",
    fix: "node_modules/.bin/eslint --fix repairs some of it",
    args: [
      // No cache: it knows only the file itself, and the typed rules look at what other files export.
      ...[bin("eslint", "bin", "eslint.js"), ".", "--max-warnings", "0"],
    ],
  },
  {
    name: "types",
    fix: "correct the types",
    args: [
      ...[bin("typescript", "bin", "tsc"), "--project", "tsconfig.tools.json", "--pretty", "false"],
      ...["--incremental", "--tsBuildInfoFile", join(cache, "tsc.json")],
    ],
  },
  {
    name: "format",
    fix: "npm run format",
    args: [
      ...[bin("prettier", "bin", "prettier.cjs"), "--check", formattedFiles],
      ...["--cache", "--cache-location", join(cache, "prettier.json")],
    ],
  },
  {
    name: "architecture",
    fix: "the failed test says which file breaks which rule",
    args: [bin("jest", "bin", "jest.js"), "test/unit/architecture.test.ts"],
  },
  ...(existsSync(join(root, "scripts", "docs.ts"))
    ? [{ name: "docs", fix: "npm run docs", args: [...loader, "scripts/docs.ts", "--check"] }]
    : []),
];

async function main(): Promise<number> {
  mkdirSync(cache, { recursive: true });
  const waiting = [...checks];
  let failed = 0;
  const work = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const startedAt = Date.now();
      const { exitCode, output } = await run(check.args);
      const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
      if (exitCode !== 0) failed += 1;
      if (exitCode !== 0) console.log(`${output.trim()}\n`);
      console.log(`${check.name.padEnd(13)} ${exitCode === 0 ? "ok" : `failed: ${check.fix}`} (${seconds} s)`);
    }
  };
  await Promise.all([work(), work()]);
  return failed === 0 ? 0 : 1;
}

function run(args: readonly string[]): Promise<{ readonly exitCode: number; readonly output: string }> {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("close", (exitCode) => done({ exitCode: exitCode ?? 1, output }));
  });
}

void main().then((exitCode) => (process.exitCode = exitCode));
