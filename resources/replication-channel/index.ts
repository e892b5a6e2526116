import type * as pulumi from "@pulumi/pulumi";
import { goingWith, SluiceResource, type Inputs } from "../../provider/pulumi/resource";
import { schema, type Declaration, type Derived, type Written } from "./schema";

/**
 * Start position: by GTID, a position in the source's binary log, or the position at which a staging database was
 * seeded.
 */
export type ChannelStart =
  | "auto"
  | { readonly gtidSet?: string | null; readonly file?: string | null; readonly position?: number | string | null };

export type ReplicationChannelArgs = Inputs<
  Omit<Written, Derived | "start"> & {
    /** Default: the resource's name. */
    readonly channel?: string;
    /** Default: by GTID. */
    readonly start?: ChannelStart;
  }
>;

/**
 * One named replication channel: rows flow from a source into a replica.
 *
 * `up` returns when receiver and applier run and the replica has applied everything that the source had executed when the wait
 * began; anything less is an error with its reason. Transactions on routines and events of databases that the filters keep out
 * are skipped, no others: MySQL has no filter for them. `destroy` stops and forgets the channel and leaves the data. Where the
 * StagingDatabase whose `server` is its replica is destroyed too, the channel goes with it, running or not (`deletedWith`).
 *
 * @example  Keep a staging database in sync with production.
 *
 *     const orders = new StagingDatabase("orders", { host: stage1, directory: "/srv/mysql/orders", source: production });
 *     new ReplicationChannel("orders", { replica: orders.server, source: production, start: orders.seedPosition });
 *
 * @example  Two sources into one replica, one of them an hour late.
 *
 *     new ReplicationChannel("orders", { replica: warehouse, source: ordersSource });
 *     new ReplicationChannel("stock", { replica: warehouse, source: stockSource, delaySeconds: 3600 });
 */
export class ReplicationChannel extends SluiceResource {
  declare readonly channel: pulumi.Output<string>;
  declare readonly delaySeconds: pulumi.Output<number>;
  declare readonly state: pulumi.Output<Declaration["state"]>;
  /** server_uuid of the source; empty until the receiver has connected once. */
  declare readonly sourceUuid: pulumi.Output<string>;
  /** server_uuid of the replica. */
  declare readonly replicaUuid: pulumi.Output<string>;
  /** How the receiver finds its position. */
  declare readonly positioning: pulumi.Output<"gtid" | "file">;

  constructor(name: string, args: ReplicationChannelArgs, opts?: pulumi.CustomResourceOptions) {
    super("ReplicationChannel", schema, name, args, goingWith(args.replica, opts));
  }
}
