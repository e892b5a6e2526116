import { has, seriesOf } from "../capabilities";
import {
  normaliseOption,
  overrideOptions,
  parseOptionFile,
  readSettings,
  renderOptionFile,
  serverGroups,
  type OptionFile,
  type OptionValue,
} from "../options/file";
import { meantOption } from "../options/misspelt";
import { variableName } from "../terms";
import type { Instance } from "./instance";

export type Config = Readonly<Record<string, OptionValue>>;

export interface OptionsWanted {
  readonly instance: Pick<Instance, "owner" | "layout" | "runtime" | "binaries" | "port">;
  readonly serverId: number;
  readonly readOnly: boolean;
  /** The user's settings; they win over all others except those of the server's identity. */
  readonly config: Config;
  /**
   * The text of a starter option file; its settings are kept. mysqld reads its includes on the host, before Sluice's
   * settings.
   */
  readonly inherited?: string | undefined;
  /** `relaxed`: no commit waits for the disk. Default `full`, the server's own. */
  readonly durability?: "full" | "relaxed" | undefined;
  /** False while the server has no tables of time zones: with a named zone it would not start. */
  readonly hasTimeZones?: boolean | undefined;
  /** Variables taken over from the source: `inheritedVariables` of seed/source.ts. */
  readonly sourceVariables?: Readonly<Record<string, string>> | undefined;
}

/** The whole my.cnf of a managed server. The same settings give the same text. */
export function renderOptions(wanted: OptionsWanted): string {
  const { instance, config } = wanted;
  const groups = groupsOf(instance);
  const inherited = onlyGroups(parseOptionFile(wanted.inherited ?? ""), groups);
  const kept = readSettings(inherited, groups);
  const isKept = (name: string) => kept.has(variableName(instance.binaries.server, name)) || kept.has(name);
  const unless = (settings: Config) =>
    Object.fromEntries(Object.entries(settings).filter(([name]) => !isKept(normaliseOption(name).name)));
  const declared = Object.fromEntries(Object.entries(config).map(([name, value]) => declaredOption(name, value)));
  const settings: Config = {
    ...unless(houseSettings(instance)),
    ...(wanted.durability === "relaxed" && unless(relaxedSettings)),
    ...unless(wanted.sourceVariables ?? {}),
    ...declared,
    ...identity(wanted),
  };
  const isTooEarly = ([name, value]: [string, OptionValue]) =>
    wanted.hasTimeZones === false && name === zoneOption && isNamedZone(String(value));
  const chosen = Object.fromEntries(Object.entries(settings).filter((one) => !isTooEarly(one)));
  const plugins = pluginsOf(instance, kept.get("plugin_load_add"), declared["plugin_load_add"]);
  const ours = { ...renameFor(wanted, chosen), ...(plugins.length > 0 && { plugin_load_add: plugins }) };
  const file = overrideOptions(inherited, ours, { groups, comment: "From the declaration" });
  return `# Made by sluice for ${instance.owner}. Change the declaration, not this file.\n${renderOptionFile(file)}!includedir ${instance.layout.optionDirectory}\n`;
}

const zoneOption = "default_time_zone";

/** `+02:00` and SYSTEM need no tables. */
export const isNamedZone = (zone: string): boolean => !/^(?:system$|[+-]\d)/i.test(zone);

/** The zone that the option file names, once the server can have it. */
export function namedZoneOf(text: string, groups: readonly string[]): string | null {
  const zone = readSettings(parseOptionFile(text), groups).get(zoneOption)?.at(-1);
  return zone !== undefined && isNamedZone(zone) ? zone : null;
}

/**
 * Written at the commit and synchronised later: by the server once a second for InnoDB's log (2), by the kernel for the binary log
 * (0). What mysqld has written outlives mysqld; only a power failure or a crash of the kernel loses it.
 */
const relaxedSettings: Config = { sync_binlog: 0, innodb_flush_log_at_trx_commit: 2 };

/**
 * Without what this mysqld does not read: other programs' groups, other series' groups. An include is read at any
 * position in the file.
 */
function onlyGroups(file: OptionFile, groups: readonly string[]): OptionFile {
  let isRead = true;
  const lines = file.lines.filter((line) => {
    if (line.kind === "group") isRead = groups.includes(line.name);
    return isRead || line.kind === "include";
  });
  return { lines };
}

/** The option groups that this mysqld reads. */
export const groupsOf = (instance: Pick<Instance, "binaries">): readonly string[] =>
  serverGroups(instance.binaries.server.flavour, seriesOf(instance.binaries.server.version));

/** What an experienced administrator would set on every copy of a production server; the server's own defaults stay. */
function houseSettings({ binaries }: Pick<Instance, "binaries">): Config {
  return {
    gtid_mode: true,
    enforce_gtid_consistency: true,
    // Named, because the default name holds the host's name and breaks replication when that changes (MY-010604).
    log_bin: "binlog",
    relay_log: "relay",
    log_replica_updates: true,
    // After a crash the relay log is fetched again: the received end of it may be cut (manual, "unexpected halt of a replica").
    relay_log_recovery: true,
    // Events of the copy would write the same rows as the source's events.
    event_scheduler: false,
    // One more listener, on a port that is not declared.
    ...(has(binaries.server, "mysqlxPlugin") && { mysqlx: false }),
    // The folder of the default does not exist on every system, and mysqld then refuses to start.
    secure_file_priv: "NULL",
    // SET PERSIST by hand would win over this file at the next start, unseen.
    ...(has(binaries.server, "persistedVariables") && { persisted_globals_load: false }),
  };
}

/** The server's identity. */
function identity({ instance, serverId, readOnly }: OptionsWanted): Config {
  const { layout, runtime, binaries, port } = instance;
  return {
    ...(runtime.asRoot && { user: runtime.osUser }),
    ...(binaries.baseDirectory !== null && { basedir: binaries.baseDirectory }),
    server_id: serverId,
    port,
    datadir: layout.data,
    socket: layout.socket,
    pid_file: layout.pidFile,
    tmpdir: layout.tmp,
    log_error: layout.errorLog,
    init_file: layout.initFile,
    read_only: readOnly,
    super_read_only: readOnly,
  };
}

/** Sluice's plugins after the user's: a plugin that is named twice is loaded once. */
function pluginsOf(
  { binaries }: Pick<Instance, "binaries">,
  inherited: readonly (string | undefined)[] = [],
  declared?: OptionValue,
): string[] {
  const named = [...inherited, declared].filter((value): value is string => typeof value === "string");
  const ours = [binaries.hasAuthSocket && "auth_socket.so", binaries.hasClone && "mysql_clone.so"];
  return [...new Set([...named, ...ours.filter((name): name is string => name !== false)])];
}

/** Options by the names this version knows. */
function renameFor({ instance }: OptionsWanted, settings: Config): Config {
  const houseNames = Object.keys(houseSettings(instance));
  const named = ([name, value]: [string, OptionValue]) =>
    [houseNames.includes(name) ? variableName(instance.binaries.server, name) : name, value] as const;
  return Object.fromEntries(Object.entries(settings).map(named));
}

/** `skip-name-resolve: true`, `loose_x: 1`: the name as mysqld means it; loose stays, because the user declared it. */
function declaredOption(name: string, value: OptionValue): [string, OptionValue] {
  const option = normaliseOption(name);
  return [option.loose ? `loose_${option.name}` : option.name, option.value ?? value];
}

const byDirectory = "is always below `directory`";
/** Settings that `config` must not contain, and the property that sets them. */
const refused: Readonly<Record<string, string>> = {
  server_id: "is set by `serverId`",
  port: "is set by `port`",
  basedir: "is set by `baseDirectory`",
  read_only: "is set by `readOnly`",
  super_read_only: "is set by `readOnly`",
  datadir: byDirectory,
  socket: byDirectory,
  pid_file: byDirectory,
  tmpdir: byDirectory,
  log_error: byDirectory,
  innodb_data_home_dir: byDirectory,
  innodb_log_group_home_dir: byDirectory,
  innodb_undo_directory: byDirectory,
  innodb_doublewrite_dir: byDirectory,
  innodb_temp_tablespaces_dir: byDirectory,
  user: "is chosen by the host: `mysql`, or the connected user if that user cannot become root",
  init_file: "makes the management account",
  skip_grant_tables: "would let every user in without a password",
  initialize: "is not a setting of a running server",
  initialize_insecure: "is not a setting of a running server",
  daemonize: "would hide mysqld from its supervisor",
  defaults_file: "is the file this is written to",
  upgrade: "is chosen when the server is upgraded",
};

/**
 * In a starter file: settings that `identity` does not override and that would move the data, open the server or stop
 * it from serving.
 */
const refusedInFile: ReadonlySet<string> = new Set([
  "innodb_data_home_dir",
  "innodb_log_group_home_dir",
  "innodb_undo_directory",
  "innodb_doublewrite_dir",
  "innodb_temp_tablespaces_dir",
  "skip_grant_tables",
  "initialize",
  "initialize_insecure",
  "daemonize",
  "defaults_file",
  "upgrade",
]);

/** Problems as `path: what`, for a schema's relations. */
export function refusedConfig(config: Config): readonly string[] {
  const seen = new Map<string, string>();
  return Object.entries(config).flatMap(([written, value]) => {
    const { name } = normaliseOption(written);
    const twin = seen.get(name);
    seen.set(name, written);
    if (!/^[a-z0-9][a-z0-9_.]*$/.test(name)) return [`config.${written}: is not the name of an option`];
    if (twin !== undefined) return [`config.${written}: is the same option as ${twin}`];
    const reason = refused[name] ?? refusedValue(name, String(value)) ?? misspeltWords(written);
    return reason === undefined ? [] : [`config.${written}: ${reason}`];
  });
}

/** The same for a starter file. Only groups that some mysqld reads count: the others are left out of my.cnf. */
export function refusedFile(text: string): readonly string[] {
  const problems = parseOptionFile(text).lines.flatMap((line) => {
    if (line.kind !== "option" || !/^(?:mysqld|server|mysqld-\d.*)$/.test(line.group ?? "")) return [];
    const { name } = line;
    const reason = refusedInFile.has(name) ? refused[name] : refusedValue(name, line.value ?? "");
    const written = (line.text.split("=")[0] ?? "").trim();
    const words = reason ?? misspeltWords(written);
    return words === undefined ? [] : [`configFile: ${name} ${words}`];
  });
  return [...new Set(problems)];
}

/** A system tablespace may have several files, each with a path of its own. */
const refusedValue = (name: string, value: string): string | undefined =>
  name === "innodb_data_file_path" && value.includes("/")
    ? "names a file outside of the data directory, which is always below `directory`"
    : undefined;

function misspeltWords(written: string): string | undefined {
  const meant = meantOption(written);
  if (meant === undefined) return undefined;
  const { name } = normaliseOption(written);
  return `is not an option that mysqld knows; did you mean ${meant}? If the server does know it, write loose_${name}`;
}

/** Fixed when the data directory is made; a change needs other data. Given to `mysqld --initialize` too. */
const fixedByData = ["lower_case_table_names", "innodb_page_size", "innodb_data_file_path"] as const;

/** The settings of an option file that making the data directory must know. */
export function initialSettings(text: string, groups: readonly string[]): readonly (readonly [string, string])[] {
  const settings = readSettings(parseOptionFile(text), groups);
  return fixedByData.flatMap((name) => {
    const value = settings.get(name)?.at(-1);
    return value === undefined ? [] : [[name, value] as const];
  });
}
