import * as pulumi from "@pulumi/pulumi";
import { ReplicationChannel, StagingDatabase } from "pulumi-sluice";

const config = new pulumi.Config();
const source = config.requireObject<{ address: string; port: number; user: string }>("source");
const host = config.requireObject<{ address: string; user: string; hostKey: string }>("host");
const production = { ...source, password: config.requireSecret("sourcePassword") };

const shop = new StagingDatabase("shop", {
  host: { ...host, privateKey: config.requireSecret("sshKey") },
  directory: config.require("directory"),
  port: config.requireNumber("port"),
  source: production,
  databases: ["shop"],
  reseed: config.get("reseed"),
});

if (config.getBoolean("withChannel") === true)
  new ReplicationChannel("shop", { replica: shop.server, source: production, start: shop.seedPosition });
