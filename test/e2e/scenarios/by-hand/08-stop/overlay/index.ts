import * as pulumi from "@pulumi/pulumi";
import { ReplicationChannel, StagingDatabase } from "pulumi-sluice";

const config = new pulumi.Config();
const source = config.requireObject<{ address: string; port: number; user: string }>("source");
const host = config.requireObject<{ address: string; user: string; hostKey: string }>("host");
const production = { ...source, password: config.requireSecret("sourcePassword") };

const numbers = new StagingDatabase("numbers", {
  host: { ...host, privateKey: config.requireSecret("sshKey") },
  directory: config.require("directory"),
  port: config.requireNumber("port"),
  source: production,
  databases: ["analytics"],
  state: "stopped",
  config: { "long-query-time": 2 },
  rootPassword: config.requireSecret("sourcePassword").apply((text) => `${text} 'with $"\\ all`),
});

new ReplicationChannel("feed", {
  replica: numbers.server,
  source: production,
  start: numbers.seedPosition,
  adopt: true,
});
