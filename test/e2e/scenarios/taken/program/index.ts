import * as pulumi from "@pulumi/pulumi";
import { StagingDatabase } from "pulumi-sluice";

const config = new pulumi.Config();
const host = config.requireObject<{ address: string; user: string; hostKey: string }>("host");

new StagingDatabase("orders", {
  host: { ...host, privateKey: config.requireSecret("sshKey") },
  directory: config.require("directory"),
  port: config.requireNumber("port"),
  seed: "none",
});
