import * as pulumi from "@pulumi/pulumi";
import { ReplicationChannel, StagingDatabase } from "pulumi-sluice";

const config = new pulumi.Config();
const source = config.requireObject<{ address: string; port: number; user: string }>("source");
const production = { ...source, password: config.requireSecret("sourcePassword") };
const host = config.requireObject<{ address: string; user: string; hostKey: string }>("host");

const shop = new StagingDatabase("shop", {
  host: { ...host, privateKey: config.requireSecret("sshKey") },
  directory: config.require("directory"),
  port: config.requireNumber("port"),
  source: production,
  config: { "long-query-time": 2, max_connections: 99 },
});

new ReplicationChannel("shop", {
  replica: shop.server,
  source: production,
  start: shop.seedPosition,
  delaySeconds: 3600,
  filters: { wildIgnoreTables: ["shop.tmp%"] },
});
