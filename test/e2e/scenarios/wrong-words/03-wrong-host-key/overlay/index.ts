import * as pulumi from "@pulumi/pulumi";
import { StagingDatabase } from "pulumi-sluice";

const config = new pulumi.Config();
const source = config.requireObject<{ address: string; port: number; user: string }>("source");
const host = config.requireObject<{ address: string; user: string; hostKey: string }>("host");
const stage = { ...host, privateKey: config.requireSecret("sshKey") };
const password = config.requireSecret("sourcePassword");

new StagingDatabase("orders", {
  host: { ...stage, hostKey: "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
  directory: config.require("directory"),
  port: config.requireNumber("port"),
  source: { ...source, password },
});
