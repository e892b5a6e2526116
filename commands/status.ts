import { setImmediate } from "node:timers/promises";
import { withHost } from "../provider/host/pool";
import type { StatusOptions } from "./arguments";
import type { Answer } from "./status/answer";
import { readStack } from "./status/stack";

/** Reads the stack's state, asks the servers, and says what it saw. Changes nothing. */
export async function status(options: StatusOptions, columns: number): Promise<Answer> {
  const [objects, { answer }, { rooms }] = await withHost("local", async (host) => {
    await host.facts();
    const reading = readStack(host, options);
    await setImmediate(); // the Pulumi CLI is started now: what looks at servers is loaded while it reads the state
    return Promise.all([reading, import("./status/answer.js"), import("../resources/rooms.js")]);
  });
  return answer(objects, rooms, options, columns);
}
