// npm run pulumi -- ARGUMENT...: the Pulumi CLI of this project, in the folder npm was called from.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { environmentOf, requirePulumi } from "./pulumi-cli/cli";

async function main(args: readonly string[]): Promise<number> {
  const cli = await requirePulumi((text) => console.error(`sluice: ${text}`));
  const cwd = process.env["INIT_CWD"] ?? process.cwd();
  const child = spawn(cli.program, args, { cwd, env: environmentOf(cli), stdio: "inherit" });
  // Ctrl-C reaches the CLI too, which ends in its own way.
  process.on("SIGINT", () => undefined);
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("close", (code, signal) => done(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
  });
}

main(process.argv.slice(2)).then(
  (exitCode) => (process.exitCode = exitCode),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  },
);
