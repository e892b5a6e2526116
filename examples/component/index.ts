import * as pulumi from "@pulumi/pulumi";
import {
  ReplicationChannel,
  StagingDatabase,
  type ReplicationChannelArgs,
  type StagingDatabaseArgs,
} from "pulumi-sluice";

interface CopyArgs extends Pick<StagingDatabaseArgs, "host" | "directory" | "port" | "config"> {
  readonly source: ReplicationChannelArgs["source"];
}

/** A copy of production that stays in sync: a staging database and the channel into it. */
class Copy extends pulumi.ComponentResource {
  readonly port: pulumi.Output<number>;
  readonly channel: pulumi.Output<string>;

  constructor(name: string, args: CopyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("examples:index:Copy", name, {}, opts);
    const database = new StagingDatabase(name, args, { parent: this });
    const channel = new ReplicationChannel(
      name,
      { replica: database.server, source: args.source, start: database.seedPosition },
      { parent: this },
    );
    this.port = database.port;
    this.channel = channel.channel;
    this.registerOutputs({ port: this.port, channel: this.channel });
  }
}

const config = new pulumi.Config();
const source = {
  ...config.requireObject<{ address: string; port: number; user: string }>("source"),
  password: config.requireSecret("sourcePassword"),
};
const stage = {
  ...config.requireObject<{ address: string; user: string; hostKey: string }>("host"),
  privateKey: config.requireSecret("sshKey"),
};
const firstPort = config.getNumber("port") ?? 3311;

// Three small servers on one host, one for each team.
const small = { innodb_buffer_pool_size: "64M" };
const copyFor = (team: string, index: number, opts?: pulumi.ComponentResourceOptions) =>
  new Copy(
    team,
    {
      host: stage,
      directory: `${config.require("directory")}/${team}`,
      port: firstPort + index,
      source,
      config: small,
    },
    opts,
  );

const copies = ["billing", "search"].map((team, index) => copyFor(team, index));

// The last one is seeded after the others are in sync: at most two dumps of production run at a time.
const support = copyFor("support", 2, { dependsOn: copies });

export const ports = [...copies, support].map(({ port }) => port);
export const channels = [...copies, support].map(({ channel }) => channel);
