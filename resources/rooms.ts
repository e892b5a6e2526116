import { defineRoom, type AnyRoom } from "../provider/room";
import * as channelFacts from "./replication-channel/facts";
import * as channelObserve from "./replication-channel/observe";
import * as channelPlan from "./replication-channel/plan";
import * as channelSchema from "./replication-channel/schema";
import * as channelSteps from "./replication-channel/steps";
import * as stagingFacts from "./staging-database/facts";
import * as stagingObserve from "./staging-database/observe";
import * as stagingPlan from "./staging-database/plan";
import * as stagingSchema from "./staging-database/schema";
import * as stagingSteps from "./staging-database/steps";

/** Every room, put together from its files, which export what the room's contract names. */
export const rooms: readonly AnyRoom[] = [
  defineRoom({
    kind: "StagingDatabase",
    ...stagingSchema,
    ...stagingFacts,
    ...stagingObserve,
    ...stagingPlan,
    ...stagingSteps,
  }),
  defineRoom({
    kind: "ReplicationChannel",
    ...channelSchema,
    ...channelFacts,
    ...channelObserve,
    ...channelPlan,
    ...channelSteps,
  }),
];
