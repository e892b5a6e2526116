// A staging database and the channel that keeps it in sync, as the benchmark declares them.
import * as pulumi from "@pulumi/pulumi";
import { ReplicationChannel, StagingDatabase } from "pulumi-sluice";

const config = new pulumi.Config();
const source = config.requireObject<{ address: string; port: number; user: string }>("source");
const production = { ...source, password: config.requireSecret("sourcePassword") };

const shop = new StagingDatabase("shop", {
  host: {
    ...config.requireObject<{ address: string; user: string; hostKey: string }>("host"),
    privateKey: config.requireSecret("sshKey"),
  },
  directory: config.require("directory"),
  port: config.requireNumber("port"),
  source: production,
  seed: config.require<"dump" | "clone">("seed"),
  config: { max_connections: config.requireNumber("maxConnections") },
});

new ReplicationChannel("shop", {
  replica: shop.server,
  source: production,
  start: shop.seedPosition,
  connectRetrySeconds: config.requireNumber("connectRetrySeconds"),
});
