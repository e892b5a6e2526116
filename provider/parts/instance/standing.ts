import type { Host } from "../../host/host";
import { readMarkFile, writeMarkFile } from "../../mark/file";
import { recorded, type Mark } from "../../mark/mark";
import { desiredInstance, type Desired } from "../../mysql/instance/desired";
import { runtimeOf, type InstancePlace } from "../../mysql/instance/instance";
import { layoutOf } from "../../mysql/instance/layout";
import { awaitAnswering, startInstance } from "../../mysql/instance/start";
import type { InstanceRecord } from "../../mysql/instance/record";
import type { MysqlClient } from "../../mysql/reader";
import type { StepContext } from "../../room";
import { serverOf, type InstanceLive, type InstanceSettled } from "./facts";
import type { InstanceDeclaration } from "./schema";

/** What the part's steps work with; a room gives the server of its own declaration. */
export type InstanceWork<Record extends InstanceRecord = InstanceRecord> = StepContext<
  InstanceDeclaration,
  InstanceSettled<Record>,
  InstanceLive
>;

/** A claimed instance on its host. */
export interface Standing<Record extends InstanceRecord> {
  readonly host: Host;
  readonly place: InstancePlace;
  /** As it is now: earlier steps of the same plan have written it. */
  readonly mark: Mark<Record>;
}

export async function standing<Record extends InstanceRecord>(work: InstanceWork<Record>): Promise<Standing<Record>> {
  const { declared, object } = work;
  const host = await work.host(declared.host);
  const runtime = runtimeOf(await host.facts());
  const layout = layoutOf(declared.directory);
  const mark = await readMarkFile<Record>(host, { path: layout.mark, asRoot: runtime.asRoot }, object);
  if (mark === null) throw new Error(`no mark in ${declared.directory}; this is a bug in pulumi-sluice`);
  return { host, mark, place: { object, layout, runtime, port: declared.port } };
}

export const writeMark = <Record extends InstanceRecord>(
  { host, place }: Pick<Standing<Record>, "host"> & { readonly place: Pick<InstancePlace, "layout" | "runtime"> },
  mark: Mark<Record>,
): Promise<void> => writeMarkFile(host, { path: place.layout.mark, asRoot: place.runtime.asRoot }, mark);

/** Records something on the mark as it is now. */
export const record = <Record extends InstanceRecord>(at: Standing<Record>, change: Partial<Record>): Promise<void> =>
  writeMark(at, recorded(at.mark, change));

/** The instance as it should be configured under this mark. */
export function desiredUnder<Record extends InstanceRecord>(
  { declared, object, seen }: InstanceWork<Record>,
  mark: Mark<Record>,
): Desired {
  const desired = desiredInstance(declared, object, { ...seen.settled, mark });
  if (desired === null) throw new Error("a step before its observation; this is a bug in pulumi-sluice");
  return desired;
}

/** A new connection: one from before the server ended is of no use. */
export async function connect<Record extends InstanceRecord>(work: InstanceWork<Record>): Promise<MysqlClient> {
  const server = serverOf(work.declared);
  await work.disconnect(server);
  return work.mysql(server);
}

/** Starts the server and waits until it answers. */
export async function start<Record extends InstanceRecord>(work: InstanceWork<Record>): Promise<void> {
  const { host, mark } = await standing(work);
  const { instance } = desiredUnder(work, mark);
  await startInstance(host, instance);
  await awaitAnswering(host, instance, {
    connect: () => connect(work),
    withinSeconds: work.declared.startSeconds,
    report: work.report,
    signal: work.signal,
  });
}
