import type { Host, HostReader } from "../../host/host";
import { forgetJob, readJob } from "../../host/job/job";
import type { JobPlace } from "../../host/job/script";
import { runtimeOf, type Instance } from "../instance/instance";
import { seedJob, type Layout } from "../instance/layout";

/** What is known about a seeding on a host. */
export interface SeedFacts {
  /** `finished`: the data is in, and the caller has not recorded it yet. `failed`: start again with empty data. */
  readonly state: "none" | "running" | "finished" | "failed";
  /** Digest of the request that the job was started for; null if it does not say. */
  readonly request: string | null;
}

export async function readSeed(host: HostReader, layout: Pick<Layout, "job">): Promise<SeedFacts> {
  const { state, purpose = null } = await readJob(host, seedPlace(layout, runtimeOf(await host.facts()).asRoot));
  return { state: states[state], request: purpose };
}

const states = { absent: "none", running: "running", succeeded: "finished", failed: "failed" } as const;

/** Removes the files of a seeding, after its result is recorded or discarded. */
export const forgetSeed = (host: Host, { layout, runtime }: Pick<Instance, "layout" | "runtime">): Promise<void> =>
  forgetJob(host, seedPlace(layout, runtime.asRoot));

const seedPlace = ({ job }: Pick<Layout, "job">, asRoot: boolean): JobPlace => ({
  directory: job,
  name: seedJob,
  asRoot,
});
