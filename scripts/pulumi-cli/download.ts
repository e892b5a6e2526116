import { join, resolve } from "node:path";
import { runQuietly, startTicker } from "./run";

const launcher = resolve(__dirname, "..", "..", "node_modules", "pulumi", "run.js");
const installerUrl = "https://get.pulumi.com/install.sh";
/** The site answers within a second where it can be reached; a firewall that drops packets would hold us for minutes. */
const reachLimitSeconds = 5;
/** 200 MB over 5 Mbit/s, doubled. */
const downloadLimitSeconds = 600;

/**
 * Lets the npm launcher fetch the vendor's CLI into `fresh`; returns the folder it is in, or undefined if the site
 * cannot be reached.
 */
export async function downloadCli(
  version: string,
  fresh: string,
  say: (text: string) => void,
): Promise<string | undefined> {
  if (!(await isReachable())) {
    say("the site of the Pulumi CLI cannot be reached from here");
    return undefined;
  }
  say(`downloading the Pulumi CLI ${version} ...`);
  const stop = startTicker(say, () => `downloading the Pulumi CLI ${version} ...`);
  const environment = { PULUMI_HOME: fresh, PULUMI_SKIP_UPDATE_CHECK: "true" };
  const limit = { withinSeconds: downloadLimitSeconds };
  const result = await runQuietly(process.execPath, [launcher, "version"], environment, limit).finally(stop);
  if (result.exitCode === 0) return join(fresh, "versions", version, "bin");
  say(`the download failed:\n${result.stderr}`);
  return undefined;
}

async function isReachable(): Promise<boolean> {
  try {
    const answer = await fetch(installerUrl, { method: "HEAD", signal: AbortSignal.timeout(reachLimitSeconds * 1000) });
    return answer.ok;
  } catch {
    return false;
  }
}
