import type * as pulumi from "@pulumi/pulumi";
import { placeIn, SluiceResource, type Inputs } from "../../provider/pulumi/resource";
import type { ServerReach } from "../../provider/schema/connection";
import { schema, type Declaration, type Derived, type Written } from "./schema";

export type StagingDatabaseArgs = Inputs<Omit<Written, Derived>>;

/** The source's position when the seed was taken: the `start` of a channel. */
export interface SeedPosition {
  readonly gtidSet: string | null;
  readonly file: string | null;
  readonly position: string | null;
}

/**
 * A mysqld instance on a host we reach by ssh, seeded from a source, and from then on kept as declared.
 *
 * `up` returns when the server answers as intended and the seed is complete; anything less is an error.
 *
 * @example  Seeded by a dump taken now.
 *
 *     const orders = new StagingDatabase("orders", { host: stage1, directory: "/srv/mysql/orders", source: production });
 *
 * @example  From a backup file on the staging host.
 *
 *     new StagingDatabase("orders", { host: stage1, directory: "/srv/mysql/orders", seed: { file: "/backup/full.sql.zst" } });
 */
export class StagingDatabase extends SluiceResource {
  declare readonly host: pulumi.Output<Declaration["host"]>;
  declare readonly directory: pulumi.Output<string>;
  declare readonly port: pulumi.Output<number>;
  declare readonly socket: pulumi.Output<string>;
  declare readonly version: pulumi.Output<string>;
  declare readonly serverUuid: pulumi.Output<string>;
  declare readonly allocatedServerId: pulumi.Output<number>;
  declare readonly seedPosition: pulumi.Output<SeedPosition>;
  declare readonly sizeBytes: pulumi.Output<string>;
  declare readonly storageKind: pulumi.Output<string>;
  declare readonly user: pulumi.Output<string>;
  declare readonly passwordFile: pulumi.Output<string>;
  declare private readonly holds: pulumi.Output<Declaration["holds"]>;
  readonly #host: StagingDatabaseArgs["host"];

  constructor(name: string, args: StagingDatabaseArgs, opts?: pulumi.CustomResourceOptions) {
    super("StagingDatabase", schema, name, args, opts);
    this.#host = args.host;
  }

  /**
   * How to reach this server: what `replica` of a channel takes. Composed here and not by the provider, so that it stays known
   * in previews and a dependant's diff names the leaf that changed.
   */
  get server(): Inputs<ServerReach> {
    return placeIn(this, {
      host: this.#host,
      socket: this.socket,
      port: this.port,
      user: this.user,
      passwordFile: this.passwordFile,
      holds: this.holds,
    });
  }
}
