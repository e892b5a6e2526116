import * as pulumi from "@pulumi/pulumi";
import { ReplicationChannel, StagingDatabase } from "pulumi-sluice";

const config = new pulumi.Config();
const source = config.requireObject<{ address: string; port: number; user: string }>("source");
const production = { ...source, password: config.requireSecret("sourcePassword") };

// `host` is a machine reached by ssh, or "local": this machine.
const host = config.getObject<{ address: string; user: string; hostKey: string }>("host");
const stage = host === undefined ? ("local" as const) : { ...host, privateKey: config.requireSecret("sshKey") };

const shop = new StagingDatabase("shop", {
  host: stage,
  directory: config.require("directory"),
  port: config.getNumber("port") ?? 3307,
  source: production,
});

// Try `delaySeconds: 3600` and `npm run quickstart`: the preview shows what changes, and what that interrupts.
const feed = new ReplicationChannel("shop", {
  replica: shop.server,
  source: production,
  start: shop.seedPosition,
});

export const serverUuid = shop.serverUuid;
export const seedPosition = shop.seedPosition;
export const channel = feed.channel;
