import { SluiceError } from "../../errors";
import { sh } from "../../host/command";
import type { Host } from "../../host/host";
import { asServer, type Instance } from "./instance";
import { optionFileAccess } from "./prepare";
import { startFailure } from "./start-failure";

/**
 * Lets mysqld read a new option file before it replaces the one that works: otherwise the server would run on, and fail to
 * start the next time, which may be the machine's reboot.
 */
export async function requireAccepted(host: Host, instance: Instance, optionText: string): Promise<void> {
  const { layout, runtime, binaries } = instance;
  // In root's own directory: in one of mysqld's user, that user could have other settings read than the declared ones.
  const draft = layout.optionDraft;
  await host.writeFile(draft, optionText, optionFileAccess(instance));
  // Another data directory, because there may be none yet; plugins are loaded, their options known.
  const words = [`--defaults-file=${draft}`, "--validate-config", "--log-error=stderr", `--datadir=${layout.tmp}`];
  const { exitCode, stdout, stderr } = await host.run(
    sh`${binaries.mysqld} ${words} </dev/null`,
    { ...asServer(runtime), accept: [0, 1, 2] }, // as whom it will run: an option can name a library to load
  );
  await host.run(sh`rm -f -- ${draft}`, { asRoot: runtime.asRoot });
  const errors = errorsOf(`${stderr}\n${stdout}`);
  if (exitCode === 0 || errors.length === 0) return;
  const failure = startFailure(instance, `exit code ${exitCode} of --validate-config`, errors);
  if (failure.code === "SERVER_OPTION_REJECTED") throw failure;
  throw new SluiceError({
    code: "SERVER_OPTION_REJECTED",
    object: instance.object,
    what: "mysqld refuses the declared settings",
    fix: "correct `config` or `configFile`",
    detail: errors.join("\n"),
  });
}

/** Options of components (`validate_password.policy`) are known to a server only that has them installed: not while it validates. */
export const errorsOf = (output: string): string[] =>
  output
    .split("\n")
    .filter((line) => /\[ERROR\]/.test(line))
    .filter((line) => !/unknown variable '[a-z0-9_]+\.[^']*'|\bAborting$/i.test(line));
