import { z } from "zod";
import { defaultHistoryListLimit } from "../../provider/mysql/seed/history-limit";
import {
  deriveInstance,
  derivedFields,
  instanceId,
  instanceName,
  instanceOutputDocs,
  limitFields,
  placeFields,
  refineInstance,
  serverFields,
  type InstanceDeclaration,
  type InstanceDerived,
} from "../../provider/parts/instance/schema";
import type { Lock } from "../../provider/room";
import { holds, source } from "../../provider/schema/connection";
import { absolutePath, databaseName, seconds } from "../../provider/schema/fields";
import type { Schema } from "../../provider/schema/schema";

const day = 86_400;

/** As error messages of the server write it. */
const objectName = z
  .string()
  .max(129)
  .regex(/^[^.\0\n]{1,64}\.[^\0\n]{1,64}$/, "must be database.object");

/** Where the first data comes from. Matters only while seeding; a later change acts at the next seeding (see `reseed`). */
const seed = z.union([
  z.enum(["dump", "clone", "none"]),
  z.strictObject({
    file: absolutePath.describe(
      "A full backup on the staging host: .sql, .sql.gz or .sql.zst. Its position is read from the file.",
    ),
  }),
]);

export const declaration = z.strictObject({
  ...placeFields,
  source: source
    .optional()
    .describe(
      "The server to seed from, as the staging host reaches it. Needed by `dump` and `clone`. A change acts at the next seeding.",
    )
    .meta({ change: "next seeding" }),
  seed: seed
    .default("dump")
    .describe(
      "How the first data arrives: `dump` (a backup taken now), `clone` (MySQL's CLONE plugin, same series on both), a file, or `none`.",
    )
    .meta({
      change: "next seeding",
      source: "dump works between versions and with selected databases, so it is the one that always fits",
    }),
  databases: z
    .union([z.literal("ALL"), z.array(databaseName).min(1, "needs at least one database")])
    .default("ALL")
    .describe("Databases to bring: `ALL` user databases, or a list. The filters of a channel into this server follow.")
    .meta({ change: "next seeding" }),
  inexactRows: z
    .enum(["refuse", "accept"])
    .optional()
    .describe(
      "What a dump does with rows that it cannot bring exactly: values of FLOAT columns, which mysqldump rounds to six digits, and tables of other engines than InnoDB, which are not part of its snapshot. `refuse` (default) stops and names them before anything is changed; `accept` takes them, and a channel may then stop on error 1032. `clone` brings FLOAT exactly. A change acts at the next seeding.",
    )
    .meta({ change: "next seeding" }),
  historyListLimit: z
    .int()
    .min(1000)
    .max(1_000_000_000)
    .optional()
    .describe(
      `Longest history list (old versions of rows) that the source may have while a dump runs; a longer one ends the dump. A dump keeps one snapshot open on the source until it is loaded, so name a replica of production as \`source\` where the data is large. Default ${String(defaultHistoryListLimit)}. A change acts at the next seeding.`,
    )
    .meta({
      unit: "transactions",
      change: "next seeding",
      source: "250 transactions a second during the 11 hours that a TB takes (measured at 27 MB/s)",
    }),
  ignoreObjects: z
    .array(objectName)
    .default([])
    .describe(
      'Views, procedures, functions, triggers and events that a dump leaves out, as `database.object`: `["shop.broken_view"]`. For objects that cannot be dumped or that this server refuses, such as a view of a table that was dropped (1356). Tables cannot be left out. Channels into this server ignore views of these names; a change of such a routine or event on the source may stop a channel. With `seed: "dump"` only.',
    )
    .meta({ change: "next seeding" }),
  reseed: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Any text. If the text changes, the data is deleted and seeded again in place. Removing the property changes nothing.",
    ),
  mode: z
    .enum(["replication", "manual"])
    .default("replication")
    .describe("`replication`: fed by a channel, read-only. `manual`: filled by hand, writable. In place."),
  readOnly: z
    .boolean()
    .optional()
    .describe(
      "Refuse all writes except replication's (super_read_only). Default true in mode replication, false in mode manual. In place.",
    ),
  ...serverFields,
  seedSeconds: seconds({ min: 60, max: 30 * day })
    .default(7 * day)
    .describe("Longest time a seeding may take.")
    .meta({ source: "a TB at the 27 MB/s of a plain dump and load takes 11 hours (measured); a week leaves room" }),
  ...limitFields,

  ...derivedFields,
  holds: holds.describe("Filled in: what the server was seeded with, for the filters of its channels."),
});

export type Declaration = z.output<typeof declaration>;
/** The declaration as a program writes it: what has a default may be left out. */
export type Written = z.input<typeof declaration>;

/** What a program must not set: `check` fills it in from the rest. */
export type Derived = InstanceDerived | "holds";

const outputs = {
  version: instanceOutputDocs.version,
  serverUuid: instanceOutputDocs.serverUuid,
  allocatedServerId: instanceOutputDocs.allocatedServerId,
  seedPosition: "The source's position when the seed was taken: { gtidSet, file, position }; the `start` of a channel.",
  sizeBytes: "Size of the data when it was seeded, as text.",
  storageKind: instanceOutputDocs.storageKind,
};

export const schema: Schema<Declaration> = { declaration, outputs };

/** What errors call it. */
export const object = (declared: Declaration, name: string): string =>
  `staging database ${instanceName(declared, name)}`;

export const id = instanceId;

export const locks = ({ host, directory }: Declaration): readonly Lock[] => [
  { host, name: `staging-database:${directory}`, mode: "exclusive" },
];

/** What follows from the rest without the network, so that a dependant's preview knows it. */
export function derive(inputs: Readonly<Record<string, unknown>>): Record<Derived, unknown> {
  const { databases = "ALL", seed: from, reseed, ignoreObjects } = inputs;
  return {
    ...deriveInstance(inputs),
    holds: {
      databases,
      accounts: from === "clone",
      ...(typeof reseed === "string" && { seeding: reseed }),
      ...(ignoreObjects !== undefined && !isEmptyList(ignoreObjects) && { lacks: ignoreObjects }),
    },
  };
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** The server of a declaration. super_read_only is as declared, or as the mode wants it. */
export const instanceOf = (declared: Declaration): InstanceDeclaration => ({
  ...declared,
  readOnly: declared.readOnly ?? declared.mode === "replication",
});

/** Relations between fields. */
export function refine(declared: Declaration): string[] {
  const { seed: from, source: origin, mode, databases, ignoreObjects } = declared;
  const needsSource = mode === "replication" && (from === "dump" || from === "clone");
  const system = databases === "ALL" ? [] : databases.filter((name) => systemSchemas.includes(name.toLowerCase()));
  return [
    ...(needsSource && origin === undefined
      ? [`source: is needed by seed ${from}; declare it, or set seed: "none"`]
      : []),
    ...system.map((name) => `databases: ${name} is a system database and cannot be brought from a source`),
    ...(from === "clone" && databases !== "ALL"
      ? ['databases: clone brings all databases; use seed: "dump" to bring some']
      : []),
    ...(from === "clone" && typeof origin?.tls === "object" && origin.tls.verifyIdentity
      ? [
          'source.tls.verifyIdentity: CLONE verifies the CA of the certificate, not the address in it; use seed: "dump", or set it to false',
        ]
      : []),
    ...(ignoreObjects.length > 0 && !(mode === "replication" && from === "dump")
      ? ['ignoreObjects: only a dump can leave objects out; use seed: "dump", or remove ignoreObjects']
      : []),
    ...refineInstance(declared),
  ];
}

const systemSchemas = ["mysql", "sys", "information_schema", "performance_schema"];
