import * as pulumi from "@pulumi/pulumi";
import { ReplicationChannel } from "pulumi-sluice";

const config = new pulumi.Config();
const source = config.requireObject<{ address: string; port: number; user: string }>("source");
const host = config.requireObject<{ address: string; user: string; hostKey: string }>("host");
const stage = { ...host, privateKey: config.requireSecret("sshKey") };
const password = config.requireSecret("sourcePassword");

new ReplicationChannel("orders", {
  replica: { host: stage, address: "127.0.0.1", port: 99999, user: "sluice" },
  source: { ...source, port: 0, password: password.apply((text) => text.repeat(9)) },
  delaySeconds: -1,
  heartbeatSeconds: 1e9,
});
