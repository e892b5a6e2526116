import { layoutOf } from "../../mysql/instance/layout";
import { isSameValue } from "../../mysql/options/variables";
import type { Observed } from "../../room";
import { endpointOf } from "../../endpoint";
import { unseen, type Health, type ServerSeen, type Status } from "../../status";
import type { InstanceLive, InstanceSettled } from "./facts";
import type { InstanceDeclaration } from "./schema";

/** What only the room knows of its server. */
export interface DataHealth {
  /** Why the data is not complete yet; null if it is. */
  readonly unfinished: Health | null;
  /** Objects that were left out when the data was brought. */
  readonly lacks?: readonly string[];
}

/** Its line in the topology. */
export function instanceStatus(
  declared: InstanceDeclaration,
  { settled, live }: Observed<InstanceSettled, InstanceLive>,
  data: DataHealth,
): Status {
  const { mark, instance } = settled;
  // What is remembered from its last run is not what is so now.
  const server = live !== null && instance?.running === true ? settled.server : null;
  const sealed = server?.variables["super_read_only"];
  const isReadOnly = sealed === undefined ? null : isSameValue("super_read_only", sealed, "ON");
  const endpoint = endpointOf(declared);
  const seen: ServerSeen = {
    endpoint,
    version: server?.version ?? null,
    isReadOnly,
    binlogFormat: server?.variables["binlog_format"] ?? null,
    hasGtids: server === null ? null : server.variables["gtid_mode"] === "ON",
    health: null,
  };
  const shown = server === null ? unseen(endpoint) : seen;
  return {
    shows: { server: shown },
    json: { is: "server", server: shown },
    health: instanceHealth({
      ...data,
      isThere: mark !== null,
      isRunning: instance?.running === true,
      answers: server !== null,
      wanted: declared.state,
      isReadOnly,
      wantsReadOnly: declared.readOnly,
      errorLog: layoutOf(declared.directory).errorLog,
    }),
  };
}

/** What is known about a managed server when its health is asked for. */
export interface InstanceSight extends DataHealth {
  /** The directory has its mark. */
  readonly isThere: boolean;
  readonly isRunning: boolean;
  /** The management account could log in. */
  readonly answers: boolean;
  readonly wanted: "running" | "stopped";
  /** Null if it was not asked. */
  readonly isReadOnly: boolean | null;
  readonly wantsReadOnly: boolean;
  readonly errorLog: string;
}

/** In the order in which a person would repair it. */
export function instanceHealth(seen: InstanceSight): Health {
  const { lacks = [], errorLog } = seen;
  if (!seen.isThere) return ill("does not exist", "run `pulumi refresh`, then `pulumi up`, which creates it again");
  if (seen.unfinished !== null) return seen.unfinished;
  if (seen.wanted === "stopped")
    return seen.isRunning
      ? ill("running, declared stopped", "run `pulumi up --refresh`, which stops it")
      : { isWell: true, words: "stopped, as declared" };
  if (!seen.isRunning)
    return ill(
      "stopped, declared running",
      `run \`pulumi up --refresh\`, which starts it; ${errorLog} says why it stopped`,
    );
  if (!seen.answers) return ill("running, does not answer", `it is starting or stuck: read ${errorLog} on the host`);
  if (seen.isReadOnly === false && seen.wantsReadOnly)
    return ill("running, writable, declared read-only", "run `pulumi up --refresh`, which sets it back");
  return { isWell: true, words: lacks.length === 0 ? "running" : `running, without ${lacks.join(", ")}` };
}

const ill = (words: string, fix: string): Health => ({ isWell: false, words, fix });
