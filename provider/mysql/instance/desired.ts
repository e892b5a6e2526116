import type { HostAddress } from "../../host/host";
import { isUnknown } from "../../schema/unknown";
import type { Binaries } from "./binaries";
import type { Configuration } from "./differences";
import { initFileOf } from "./init-file";
import type { Instance, Runtime } from "./instance";
import { layoutOf } from "./layout";
import type { Mark } from "../../mark/mark";
import type { InstanceRecord } from "./record";
import { renderOptions, type OptionsWanted } from "./options";
import { renderUnit } from "./service";

/** What a declaration says of its instance. */
export interface DeclaredInstance extends Pick<OptionsWanted, "config" | "readOnly" | "durability"> {
  readonly directory: string;
  readonly port: number;
  readonly serverId?: number | undefined;
  readonly memoryMaxBytes?: number | undefined;
  readonly configFile?: string | undefined;
}

/** What was seen of the host and of the directory. */
export interface SeenPlace {
  readonly mark: Mark<InstanceRecord> | null;
  readonly binaries: Binaries | null;
  readonly runtime: Runtime | null;
}

export interface Desired extends Configuration {
  readonly instance: Instance;
}

/** The instance as it should be configured; null while its programs or its server id are not known yet. */
export function desiredInstance(
  wanted: DeclaredInstance,
  object: string,
  { mark, binaries, runtime }: SeenPlace,
): Desired | null {
  if (mark?.identity == null || binaries === null || runtime === null) return null;
  const { identity, record } = mark;
  const layout = layoutOf(wanted.directory);
  const { port, memoryMaxBytes } = wanted;
  const instance: Instance = { object, owner: identity.name, layout, runtime, binaries, port, memoryMaxBytes };
  const optionText = renderOptions({
    instance,
    serverId: wanted.serverId ?? record.serverId,
    config: wanted.config,
    inherited: wanted.configFile,
    sourceVariables: record.sourceVariables,
    readOnly: wanted.readOnly,
    durability: isUnknown(wanted.durability) ? undefined : wanted.durability,
    hasTimeZones: record.hasTimeZones,
  });
  return { instance, optionText, unitText: renderUnit(instance), init: initFileOf(instance) };
}

/** A preview does not ask the host who logs in to it: the program says so. */
export function asUserOf<S extends Pick<SeenPlace, "runtime">>(
  host: HostAddress,
  settled: S,
  before: HostAddress | undefined,
): S {
  if (settled.runtime?.asRoot !== true || typeof before !== "object" || typeof host !== "object") return settled;
  return before.user === host.user
    ? settled
    : { ...settled, runtime: { ...settled.runtime, connectedUser: host.user } };
}
