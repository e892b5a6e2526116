import * as pulumi from "@pulumi/pulumi";
import { ReplicationChannel } from "pulumi-sluice";

const config = new pulumi.Config();
const servers = config.requireNumber("servers");
const password = config.requireSecret("sourcePassword");
const host = {
  ...config.requireObject<{ address: string; user: string; hostKey: string }>("host"),
  privateKey: config.requireSecret("sshKey"),
};

for (let replica = 1; replica <= servers; replica += 1)
  for (let source = 1; source <= servers; source += 1)
    new ReplicationChannel(`from-${String(source)}-into-${String(replica)}`, {
      replica: {
        host,
        socket: `${config.require("directory")}/${String(replica)}/run/mysqld.sock`,
        port: config.requireNumber("replicaPort") + replica,
        user: "sluice",
      },
      source: {
        address: config.require("source"),
        port: config.requireNumber("sourcePort") + source,
        user: "repl",
        password,
      },
      catchUpSeconds: 0,
    });
