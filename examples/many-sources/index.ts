import * as pulumi from "@pulumi/pulumi";
import { ReplicationChannel, StagingDatabase } from "pulumi-sluice";

interface Source {
  readonly address: string;
  readonly port: number;
  readonly user: string;
}

const config = new pulumi.Config();
const shopSource = {
  ...config.requireObject<Source>("shopSource"),
  password: config.requireSecret("shopPassword"),
};
const outletSource = {
  ...config.requireObject<Source>("outletSource"),
  password: config.requireSecret("outletPassword"),
};
const stage = {
  ...config.requireObject<{ address: string; user: string; hostKey: string }>("host"),
  privateKey: config.requireSecret("sshKey"),
};

// One server, seeded from one file: a dump of each source, one after the other (README.md says how it is made).
// Its GTIDs are then those of both sources, so each channel finds its own start position.
const reports = new StagingDatabase("reports", {
  host: stage,
  directory: config.require("directory"),
  port: config.getNumber("port") ?? 3308,
  databases: ["shop", "outlet"],
  seed: { file: config.require("backup") },
});

// A source may also have databases of the other's names: each channel takes only its own database.
const shop = new ReplicationChannel("shop", {
  replica: reports.server,
  source: shopSource,
  start: reports.seedPosition,
  filters: { wildDoTables: ["shop.%"] },
});

const outlet = new ReplicationChannel("outlet", {
  replica: reports.server,
  source: outletSource,
  start: reports.seedPosition,
  filters: { wildDoTables: ["outlet.%"] },
  delaySeconds: config.getNumber("outletDelaySeconds") ?? 0,
});

export const serverUuid = reports.serverUuid;
export const seedPosition = reports.seedPosition;
export const channels = [shop.channel, outlet.channel];
