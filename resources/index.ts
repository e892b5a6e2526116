import "../provider/require-node"; // first: an old Node is named before it fails on something it cannot load
export { StagingDatabase, type SeedPosition, type StagingDatabaseArgs } from "./staging-database";
export { ReplicationChannel, type ReplicationChannelArgs } from "./replication-channel";
