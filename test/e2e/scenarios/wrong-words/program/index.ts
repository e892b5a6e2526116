import * as pulumi from "@pulumi/pulumi";
import { StagingDatabase } from "pulumi-sluice";

const config = new pulumi.Config();
const source = config.requireObject<{ address: string; port: number; user: string }>("source");
const host = config.requireObject<{ address: string; user: string; hostKey: string }>("host");
const stage = { ...host, privateKey: config.requireSecret("sshKey") };
const password = config.requireSecret("sourcePassword");

// A slip of the pen that the compiler does not see here.
const slips = { seeed: "dump", baseDir: "/opt/mysql" };

new StagingDatabase("orders", {
  host: stage,
  directory: config.require("directory"),
  source: { ...source, password },
  ...slips,
});
