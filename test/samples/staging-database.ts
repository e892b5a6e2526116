import { markOf } from "../../provider/mark/mark";
import { desiredInstance } from "../../provider/mysql/instance/desired";
import { parseGrants } from "../../provider/mysql/privileges/privileges";
import type { SeedSource } from "../../provider/mysql/seed/source/facts";
import type { PlanContext } from "../../provider/room";
import { checkInputs } from "../../provider/schema/check";
import { blank, type Live, type Settled, type StagingRecord } from "../../resources/staging-database/facts";
import { derive, instanceOf, object, schema, type Declaration } from "../../resources/staging-database/schema";
import { hostAt } from "./host";
import { identityOf } from "./identity";
import { asRoot, binariesOf, mysql, replicaUuid, runningInstance, sourceUuid } from "./server";

export const identity = identityOf("StagingDatabase");

/** A valid declaration, seeded by a dump, changed by `written`. */
export function declare(written: Record<string, unknown> = {}): Declaration {
  const given = {
    host: hostAt("stage-1"),
    directory: "/srv/mysql/orders",
    source: { address: "db-1", user: "sync", password: "s3cret" },
    ...written,
  };
  const { inputs, problems } = checkInputs(schema, { ...derive(given), ...given });
  expect(problems).toEqual([]);
  return inputs as Declaration;
}

export const context = (before: Declaration | null = null): PlanContext<Declaration, Settled> => ({
  identity,
  before: before && { declared: before, settled: null },
  object: "orders",
});

/** Of a complete server, which was seeded. */
export const record: StagingRecord = {
  directory: "/srv/mysql/orders",
  phase: "complete",
  reseed: null,
  serverId: 1_000_001,
  sourceVariables: { sql_mode: "STRICT_TRANS_TABLES" },
  seedPosition: { gtidSet: `${sourceUuid}:1-5`, file: "binlog.000002", position: "157" },
  sizeBytes: "1048576",
  hasRootPassword: false,
};

/** Of a server that is not seeded yet. */
export const claimedRecord: StagingRecord = {
  ...record,
  phase: "claimed",
  sourceVariables: {},
  seedPosition: { gtidSet: null, file: null, position: null },
  sizeBytes: null,
};

/** A claimed server that runs; what it answered is not known. */
export const half = (change: Partial<Settled> = {}): Settled => ({
  ...blank,
  directory: "ours",
  mark: markOf(identity, claimedRecord),
  storageKind: "btrfs",
  binaries: binariesOf(),
  runtime: asRoot,
  instance: runningInstance,
  ...change,
});

/** A seeded server that is as `wanted` describes it, running. */
export function settled(wanted: Declaration, change: Partial<Settled> = {}): Settled {
  const seen = half({ mark: markOf(identity, record) });
  const desired = desiredInstance(instanceOf(wanted), object(wanted, "orders"), seen);
  if (desired === null) throw new Error("the sample's programs are not known");
  const { optionText, unitText, init } = desired;
  return {
    ...seen,
    instance: { ...runningInstance, optionText, unitText, init },
    server: {
      version: mysql.version,
      uuid: replicaUuid,
      rootPasswordMatches: wanted.rootPassword !== undefined,
      variables: { super_read_only: "ON", read_only: "ON", event_scheduler: "OFF", server_id: "1000001", port: "3306" },
    },
    ...change,
  };
}

/** Nothing runs on the host that would hinder, and nothing of the source was read. */
export const quiet: Live = {
  seed: { state: "none", request: null },
  strangers: [],
  unmounted: null,
  portListener: null,
  surroundings: { enclosing: null, closed: null, foreignData: null, dataHolder: null },
  confinement: null,
  binariesProblem: null,
  source: null,
  sourceProblem: null,
  backup: null,
  backupProblem: null,
};

/** A source that can give whatever is asked. */
export const source = (change: Partial<SeedSource> = {}): SeedSource => ({
  endpoint: "db-1:3306",
  server: mysql,
  account: { user: "sync", host: "%" },
  grants: parseGrants(["GRANT ALL PRIVILEGES ON *.* TO `sync`@`%`"]),
  serverId: 1,
  serverUuid: sourceUuid,
  binlogOn: true,
  gtidOn: true,
  hasPerformanceSchema: true,
  databases: [{ name: "shop", bytes: 1, rowBytes: 1 }],
  foreignTables: [],
  floatColumns: [],
  crossReferences: [],
  takenBooks: [],
  managedService: null,
  replicaIds: [],
  plugins: {},
  variables: {},
  ...change,
});
