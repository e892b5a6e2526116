import { SluiceError } from "../../../errors";
import { cloneRefusal, replicationRefusal } from "../../capabilities";
import {
  cloneDonorNeeds,
  dumpNeeds,
  followNeeds,
  missingPrivileges,
  renderGrants,
  type Need,
} from "../../privileges/privileges";
import { managedServices } from "../../managed-service";
import {
  requireBooksFree,
  requireCloneable,
  requireExact,
  requireWhole,
  type SourceNeeds,
} from "./object-requirements";
import type { DatabaseFacts, SeedSource } from "./facts";

/** Throws unless the source can be seeded from: in the order in which an administrator would repair it. */
export function requireSeedable(source: SeedSource, needs: SourceNeeds): void {
  requireSupported(source, needs);
  if (needs.method === "clone") requireCloneable(source, needs);
  requireLog(source, needs);
  requirePrivileges(source, needs);
  if (needs.method === "dump" || needs.method === "clone") requireBooksFree(source, needs);
  if (needs.method !== "dump") return;
  const databases = chooseDatabases(source, needs).map(({ name }) => name);
  requireWhole(source, needs, databases);
  requireExact(source, needs, databases);
}

function requireSupported(source: SeedSource, { method, object, replica }: SourceNeeds): void {
  const said = `source ${source.endpoint} is ${source.server.flavour} ${source.server.version}`;
  const refusal =
    replica === undefined
      ? undefined
      : method === "clone"
        ? cloneRefusal(source.server, replica)
        : replicationRefusal(source.server, replica);
  if (refusal !== undefined)
    throw new SluiceError({
      code: "SOURCE_NOT_SUPPORTED",
      object,
      what: `cannot be seeded from ${source.endpoint}: ${refusal}`,
      found: said,
      fix:
        method === "clone"
          ? 'use `seed: "dump"`, or install the same series'
          : "install the source's series or a later one",
    });
  if (method === "clone" && source.managedService !== null)
    throw new SluiceError({
      code: "SOURCE_NOT_SUPPORTED",
      object,
      what: `cannot be cloned from ${source.endpoint}: ${source.managedService} does not let its servers be cloned`,
      found: said,
      fix: 'use `seed: "dump"`; docs/compatibility.md says how to set the service up for it',
    });
  if (method === "clone" && !("clone" in source.plugins))
    throw new SluiceError({
      code: "SOURCE_NOT_SUPPORTED",
      object,
      what: `cannot be cloned from ${source.endpoint}, its clone plugin is not loaded`,
      found: said,
      fix: `on the source: INSTALL PLUGIN clone SONAME 'mysql_clone.so'; or use \`seed: "dump"\``,
    });
}

function requireLog(source: SeedSource, { object, method }: SourceNeeds): void {
  if (method === "none") return;
  if (!source.binlogOn)
    throw new SluiceError({
      code: "SOURCE_BINLOG_OFF",
      object,
      what: `cannot be seeded from ${source.endpoint}, it writes no binary log, so no replica can follow it`,
      found: "log_bin = OFF",
      needs: "log_bin = ON",
      fix:
        source.managedService === null
          ? "remove skip-log-bin from the source's option file, or add log_bin, and restart it"
          : `${source.managedService}: ${managedServices[source.managedService].binlog}`,
    });
  if (source.serverId === 0)
    throw new SluiceError({
      code: "SOURCE_SERVER_ID_ZERO",
      object,
      what: `cannot be seeded from ${source.endpoint}, it refuses replicas because its server_id is 0`,
      found: "server_id = 0",
      needs: "a number that no replica has",
      fix: "on the source: SET GLOBAL server_id = 1; set it in its option file too",
    });
}

function requirePrivileges(source: SeedSource, { method, databases, object }: SourceNeeds): void {
  const needs: readonly Need[] =
    method === "dump" ? dumpNeeds(source.server, databases, source) : method === "clone" ? cloneDonorNeeds() : [];
  const lacking = missingPrivileges(source.grants, method === "none" ? [] : [...needs, ...followNeeds()]);
  // SELECT on everything shows the bodies of routines as well (manual, SHOW CREATE PROCEDURE).
  const seesAll = missingPrivileges(source.grants, [{ privilege: "SELECT", why: "" }]).length === 0;
  const missing = lacking.filter(({ privilege }) => privilege !== "SHOW_ROUTINE" || !seesAll);
  if (missing.length === 0) return;
  const { user, host } = source.account;
  throw new SluiceError({
    code: "SERVER_PRIVILEGE_MISSING",
    object,
    what: `cannot be seeded from ${source.endpoint}, the account ${user}@${host} lacks ${missing.length === 1 ? "a privilege" : "privileges"}`,
    needs: missing.map(needWords).join("\n"),
    fix: ["on the source:", ...renderGrants(missing, source.account).map(({ text }) => `${text};`)].join("\n"),
  });
}

const needWords = ({ privilege, database, why }: Need): string =>
  `${privilege}${database === undefined ? "" : ` on ${database}`}, to ${why}`;

/** The databases to dump, as the source writes their names. Throws if one does not exist. */
export function chooseDatabases(
  { databases, endpoint, variables }: Pick<SeedSource, "databases" | "endpoint" | "variables">,
  { databases: wanted, object }: Pick<SourceNeeds, "databases" | "object">,
): readonly DatabaseFacts[] {
  const found = databases.map(({ name }) => name).join(", ");
  if (wanted === "ALL") {
    if (databases.length > 0) return databases;
    throw new SluiceError({
      code: "SEED_DATABASE_MISSING",
      object,
      what: `cannot be seeded from ${endpoint}, its account sees no database there`,
      needs: "a database, and privileges on it",
    });
  }
  // With lower_case_table_names 1 and 2 names are compared in lower case.
  const comparable = (name: string) => (variables["lower_case_table_names"] === "0" ? name : name.toLowerCase());
  const byName = new Map(databases.map((database) => [comparable(database.name), database]));
  const missing = wanted.filter((name) => !byName.has(comparable(name)));
  if (missing.length > 0)
    throw new SluiceError({
      code: "SEED_DATABASE_MISSING",
      object,
      what: `cannot be seeded from ${endpoint}, it has no ${missing.length === 1 ? "database" : "databases"} ${missing.join(", ")}`,
      found: found === "" ? "no database that the account sees" : found,
      fix: "correct `databases`, or grant the account privileges on them",
    });
  return wanted.flatMap((name) => byName.get(comparable(name)) ?? []);
}
