import { defineRoom, type AnyRoom } from "../provider/room";
import * as channel from "./replication-channel/observe";
import * as channelPlan from "./replication-channel/plan";
import * as channelSchema from "./replication-channel/schema";
import * as channelSteps from "./replication-channel/steps";
import * as staging from "./staging-database/observe";
import * as stagingPlan from "./staging-database/plan";
import * as stagingSchema from "./staging-database/schema";
import * as stagingSteps from "./staging-database/steps";

const stagingDatabase = defineRoom({
  kind: "StagingDatabase",
  schema: stagingSchema.schema,
  object: stagingSchema.objectOf,
  id: stagingSchema.idOf,
  locks: ({ host, directory }: stagingSchema.Declaration) => [
    { host, name: `staging-database:${directory}`, mode: "exclusive" },
  ],
  derive: stagingSchema.derive,
  refine: stagingSchema.refine,
  blank: staging.blank,
  migrate: staging.migrate,
  observe: staging.observe,
  exists: staging.exists,
  seal: stagingSteps.seal,
  plan: stagingPlan.plan,
  say: stagingPlan.say,
  perform: stagingSteps.perform,
  withinSeconds: stagingSteps.withinSeconds,
  outputs: staging.outputs,
  asDeclared: staging.asDeclared,
  status: staging.statusOf,
});

const replicationChannel = defineRoom({
  kind: "ReplicationChannel",
  schema: channelSchema.schema,
  object: channelSchema.objectOf,
  id: channelSchema.idOf,
  locks: channelSchema.locksOf,
  derive: channelSchema.derive,
  refine: channelSchema.refine,
  blank: channel.blank,
  migrate: channel.migrate,
  observe: channel.observe,
  exists: channel.exists,
  seal: channelSteps.seal,
  plan: channelPlan.plan,
  say: channelPlan.say,
  perform: channelSteps.perform,
  withinSeconds: channelSteps.withinSeconds,
  outputs: channel.outputs,
  asDeclared: channel.asDeclared,
  status: channel.statusOf,
});

/** Every room, put together from its five files. */
export const rooms: readonly AnyRoom[] = [stagingDatabase, replicationChannel];
