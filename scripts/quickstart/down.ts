import { stopLab } from "../../lab/index.ts";
import { whyNoLab } from "../../test/harness/lab";
import { labName } from "./lab-place";
import { removeLocalPlace } from "./local-place";
import { forgetStack } from "./stack";

const say = (text: string): void => void process.stderr.write(`sluice: ${text}\n`);

/** Removes everything the quick start created: hosts with all that is on them, the stack, its state. */
export async function down(): Promise<void> {
  if ((await whyNoLab()) === undefined) {
    say("stopping the lab's hosts");
    await stopLab(labName);
  }
  await removeLocalPlace(say);
  await forgetStack();
  say("nothing is left; the cached base image stays for the next time");
}
