import { renderEndpoint } from "../../endpoint";
import { isProblem, SluiceError } from "../../errors";
import { sh } from "../../host/command";
import { awaitCondition, done, waiting } from "../../wait";
import { withMysql } from "../client";
import type { MysqlClient } from "../reader";
import { setSealed, withWrites } from "../read-only";
import { awaitAnswering } from "../instance/start";
import { optionFileAccess } from "../instance/prepare";
import { renderOption } from "../options/file";
import { dropMarks } from "../../mark/row";
import { id, keyword, secret, sql, type Statement } from "../sql";
import { resetReplicaAll, stopReplica, variableName } from "../terms";
import { requireSeedable } from "./source/requirements";
import { readFound, rejectSeed, requireClient, runSeed, type SeedOrder, type SeedResult, type Seeding } from "./run";
import { cloneScript, jobFiles } from "./script";
import { readSource } from "./source/source";
import type { SourceAddress, SeedSource } from "./source/facts";
import { readFilled, requireEmpty } from "./target";

export interface CloneWanted {
  readonly source: SourceAddress;
}

/**
 * Replaces the server's data by a copy of the source's, accounts included, through CLONE. The copy starts with its own
 * server_uuid, with no channel and with events off. May be repeated: finds the earlier job.
 */
export async function seedFromClone(seeding: Seeding, { source }: CloneWanted): Promise<SeedResult> {
  requireNoIdentity(source, seeding.instance.object);
  const startedAt = performance.now();
  const from = `source ${renderEndpoint(source)}`;
  await runSeed(seeding, {
    from,
    isEstimate: false,
    totalBytes: () => Promise.resolve(null),
    prepare: async () => {
      const facts = await withMysql(source, seeding.host, (mysql) => readSource(mysql, source), {
        role: "source",
        signal: seeding.signal,
      });
      return prepareClone(seeding, source, facts);
    },
  });
  const status = await awaitCloned(seeding);
  if (status.errno !== 0)
    await rejectSeed(seeding, {
      code: "SEED_FAILED",
      what: `seeding from ${from} ended with an error of CLONE`,
      detail: `${status.errno}: ${status.message}`,
      fix: "repair what the cause names; the next `pulumi up` starts the seeding again with empty data",
    });
  const mysql = await seeding.connect();
  const sourceUuid = (await readFound(seeding, uuidFile)).trim();
  await requireOwnUuid(seeding, mysql, sourceUuid);
  await forgetOrigin(mysql);
  await restoreOptions(seeding);
  return {
    method: "clone",
    gtidExecuted: status.gtids.replaceAll(/\s/g, ""),
    logFile: status.file === "" ? null : status.file,
    logPosition: status.file === "" ? null : String(status.position),
    sourceUuid,
    ...(await readFilled(mysql)),
    seconds: (performance.now() - startedAt) / 1000,
  };
}

const uuidFile = "source-uuid";

async function prepareClone(seeding: Seeding, source: SourceAddress, facts: SeedSource): Promise<SeedOrder> {
  const { instance } = seeding;
  const { object, binaries } = instance;
  requireSeedable(facts, { method: "clone", databases: "ALL", object, replica: binaries.server });
  const mysql = await seeding.connect();
  await requireEmpty(mysql, object);
  await ensurePlugins(mysql, facts, object);
  await holdChannels(seeding);
  // CLONE ends with a shutdown; mysqld waits 2 s in it if a session is open (9.7).
  await mysql.close();
  const trust = await writeTrust(seeding, source);
  const donor = sql`${source.user}@${source.address}:${source.port}`;
  const secured = keyword(source.tls === "off" ? "NO SSL" : "SSL");
  const statements = [
    // Our literals escape with a backslash.
    sql`SET SESSION sql_mode = ''`,
    setSealed(false),
    // MySQL's own form: it takes names and addresses of version 4 only.
    sql`SET GLOBAL clone_valid_donor_list = ${`${source.address}:${source.port}`}`,
    ...trust,
    sql`CLONE INSTANCE FROM ${donor} IDENTIFIED BY ${secret(source.password, "source.password")} REQUIRE ${secured}`,
  ];
  return {
    files: {
      [jobFiles.clone]: statements.map(({ text }) => `${text};\n`).join(""),
      [jobFiles.progressQuery]: `${readProgress.text};\n`,
    },
    script: sh`
    echo ${facts.serverUuid} >${uuidFile}
    ${cloneScript(requireClient(seeding, "mysql").path)}`,
  };
}

/** clone_ssl_ca, clone_ssl_cert and clone_ssl_key are all that CLONE has: it looks at no name (9.7: VERIFY_CA). */
function requireNoIdentity({ tls }: SourceAddress, object: string): void {
  if (typeof tls !== "object" || tls.verifyIdentity === false) return;
  throw new SluiceError({
    code: "SOURCE_NOT_SUPPORTED",
    object,
    what: "cannot be cloned with `verifyIdentity: true`: CLONE verifies the CA of the source's certificate, not the address in it",
    fix: 'use `seed: "dump"`, or set `source.tls.verifyIdentity: false`',
  });
}

const readProgress = sql`SELECT SUM(DATA), SUM(ESTIMATE) FROM performance_schema.clone_progress`;

/** CLONE wants every plugin of the source active here (error 3870); what cannot be loaded it names itself. */
async function ensurePlugins(mysql: MysqlClient, source: SeedSource, object: string): Promise<void> {
  const rows = await mysql.query<{ name: string }>(
    sql`SELECT PLUGIN_NAME AS name FROM information_schema.PLUGINS WHERE PLUGIN_STATUS = 'ACTIVE'`,
  );
  const active = new Set(rows.map(({ name }) => name));
  if (!active.has("clone"))
    throw new SluiceError({
      code: "SOURCE_NOT_SUPPORTED",
      object,
      what: "cannot be cloned into, the host's MySQL has no clone plugin",
      fix: 'install mysql_clone.so, or use `seed: "dump"`',
    });
  const missing = Object.entries(source.plugins).filter(([name]) => !active.has(name));
  if (missing.length === 0) return;
  await withWrites(mysql, async () => {
    for (const [name, library] of missing) {
      try {
        await mysql.execute(sql`INSTALL PLUGIN ${id(name)} SONAME ${library}`);
      } catch (error) {
        if (!isProblem(error, "SERVER_QUERY_FAILED")) throw error;
      }
    }
  });
}

const heldMark = "# Until the copied channels are forgotten";

/** The copy restarts with the source's channels in it: they must not dial out. The file is as before when all is done. */
async function holdChannels(seeding: Seeding): Promise<void> {
  const text = await readOptions(seeding);
  if (text.includes(heldMark)) return;
  const name = variableName(seeding.instance.binaries.server, "skip_replica_start");
  await writeOptions(seeding, `${text}${heldMark}\n[mysqld]\n${renderOption(name, true)}\n`);
}

async function restoreOptions(seeding: Seeding): Promise<void> {
  const text = await readOptions(seeding);
  const at = text.indexOf(heldMark);
  if (at >= 0) await writeOptions(seeding, text.slice(0, at));
}

const readOptions = async ({ host, instance }: Seeding): Promise<string> =>
  (await host.readFile(instance.layout.optionFile, { asRoot: instance.runtime.asRoot })) ?? "";

const writeOptions = ({ host, instance }: Seeding, text: string): Promise<void> =>
  host.writeFile(instance.layout.optionFile, text, optionFileAccess(instance));

/** mysqld itself is the client of a CLONE: the certificates must be its to read. It checks the authority, not the name. */
async function writeTrust({ host, instance }: Seeding, { tls }: SourceAddress): Promise<Statement[]> {
  if (typeof tls !== "object") return [];
  const { layout, runtime } = instance;
  const owner = runtime.asRoot ? { asRoot: true, owner: `${runtime.osUser}:` } : {};
  const statements: Statement[] = [];
  for (const [name, text] of Object.entries({ ca: tls.ca, cert: tls.cert, key: tls.key })) {
    if (text === undefined) continue;
    const path = `${layout.tls}/clone-${name}.pem`;
    await host.writeFile(path, text, { mode: 0o600, ...owner });
    statements.push(sql`SET GLOBAL ${id(`clone_ssl_${name}`)} = ${path}`);
  }
  return statements;
}

interface CloneStatus {
  readonly state: string;
  readonly errno: number;
  readonly message: string;
  readonly file: string;
  readonly position: number;
  readonly gtids: string;
}

const readStatus = sql`SELECT STATE AS state, ERROR_NO AS errno, ERROR_MESSAGE AS message, BINLOG_FILE AS file, BINLOG_POSITION AS position, GTID_EXECUTED AS gtids FROM performance_schema.clone_status`;

/** Waits for the restart that ends a CLONE, with the recovery of the copied data in it. */
async function awaitCloned(seeding: Seeding): Promise<CloneStatus> {
  const { host, instance, connect, report, signal, withinSeconds } = seeding;
  return awaitCondition<CloneStatus>({
    object: instance.object,
    what: "the cloned server to start again",
    withinSeconds,
    everyMillis: 1000, // a recovery takes seconds
    signal,
    onWait: (why) => report.progress(why),
    check: async () => {
      const mysql = await awaitAnswering(host, instance, { connect, withinSeconds, report, signal });
      try {
        const status = await mysql.queryRow<CloneStatus>(readStatus);
        return status !== undefined && /^(Completed|Failed)$/.test(status.state)
          ? done(status)
          : waiting("the server is about to restart with the copied data");
      } catch (error) {
        if (!isProblem(error, "SERVER_QUERY_FAILED", "SERVER_NOT_ANSWERING")) throw error;
        return waiting("the server restarts with the copied data");
      }
    },
  });
}

/** server_uuid lives in auto.cnf, which CLONE does not copy; a replica with its source's uuid would never connect (1593). */
async function requireOwnUuid({ instance }: Seeding, mysql: MysqlClient, sourceUuid: string): Promise<void> {
  const row = await mysql.queryRow<{ uuid: string }>(sql`SELECT @@GLOBAL.server_uuid AS uuid`);
  if (row?.uuid !== sourceUuid) return;
  throw new SluiceError({
    code: "CHANNEL_SERVER_UUID_EQUAL",
    object: instance.object,
    what: "has its source's server_uuid",
    found: sourceUuid,
    fix: `stop it and remove ${instance.layout.data}/auto.cnf`,
  });
}

/** The source's own channels and our books about it mean nothing here. */
async function forgetOrigin(mysql: MysqlClient): Promise<void> {
  const channels = await mysql.query<{ name: string }>(
    sql`SELECT CHANNEL_NAME AS name FROM performance_schema.replication_connection_configuration WHERE CHANNEL_NAME NOT LIKE 'group_replication%'`,
  );
  await withWrites(mysql, async () => {
    for (const { name } of channels) {
      await mysql.execute(stopReplica(mysql.server, name));
      await mysql.execute(resetReplicaAll(mysql.server, name));
    }
    await dropMarks(mysql);
  });
}
