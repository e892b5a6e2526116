export { StagingDatabase, type SeedPosition, type StagingDatabaseArgs } from "./staging-database";
export { ReplicationChannel, type ReplicationChannelArgs } from "./replication-channel";
