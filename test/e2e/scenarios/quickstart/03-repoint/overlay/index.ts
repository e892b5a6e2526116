import * as pulumi from "@pulumi/pulumi";
import { ReplicationChannel, StagingDatabase } from "pulumi-sluice";

const config = new pulumi.Config();
const source = config.requireObject<{ address: string; port: number; user: string }>("source");
const password = config.requireSecret("sourcePassword");
const host = config.requireObject<{ address: string; user: string; hostKey: string }>("host");

const shop = new StagingDatabase("shop", {
  host: { ...host, privateKey: config.requireSecret("sshKey") },
  directory: config.require("directory"),
  port: config.requireNumber("port"),
  source: { ...source, password },
  config: { "long-query-time": 2, max_connections: 99 },
});

// The source has moved to another address.
new ReplicationChannel("shop", {
  replica: shop.server,
  source: { ...source, password, address: source.address.replace(/\d+$/, "111") },
  start: shop.seedPosition,
});
