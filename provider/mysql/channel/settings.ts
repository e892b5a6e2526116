import { createHash } from "node:crypto";
import { compare, type Difference } from "../../plan/plan";
import type { Source } from "../../schema/connection";
import { hasUnknown, unknownValue } from "../../schema/unknown";
import { has, type ServerFacts } from "../capabilities";
import { keyword, secret, type Statement } from "../sql";
import { changeReplicationSource, type SourceOptions } from "../terms";
import { sayTls, type TlsFiles } from "./tls-files";

/** What CHANGE REPLICATION SOURCE sets, by the names a program has for it. */
export interface ChannelSettings {
  readonly source: Source;
  readonly connectRetrySeconds: number;
  readonly retryCount: number;
  readonly heartbeatSeconds: number;
  readonly delaySeconds: number;
}

/** Where the receiver begins. */
export type Position =
  { readonly by: "gtid" } | { readonly by: "file"; readonly file: string; readonly position: string };

/** The declared start position: `auto`, or the seed position of a staging database. */
export type Start =
  | "auto"
  | {
      readonly gtidSet?: string | undefined;
      readonly file?: string | undefined;
      readonly position?: number | string | undefined;
    };

/** By GTID if both servers have gtid_mode on and more than a file position is known; modes are null in a preview. */
export function planPosition(
  start: Start,
  modes: { readonly source: string; readonly replica: string } | null,
): Position {
  if (start === "auto" || start.file === undefined || start.position === undefined) return { by: "gtid" };
  const bothWrite = modes === null || (modes.source === "ON" && modes.replica === "ON");
  if (start.gtidSet !== undefined && bothWrite) return { by: "gtid" };
  return { by: "file", file: start.file, position: String(start.position) };
}

export const sayPosition = (position: Position): string =>
  position.by === "gtid" ? "by GTID" : `at ${position.file}:${position.position}`;

/** What was seen of the same settings; the password only as whether it is the declared one. */
export interface SeenSettings extends Omit<ChannelSettings, "source"> {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly passwordMatches: boolean;
  readonly tls: string;
}

/** Differences in what the receiver works with. */
export function compareReceiver(wanted: ChannelSettings, seen: SeenSettings, passwordChanged: boolean): Difference[] {
  const { source } = wanted;
  const known = compare(
    {
      "source.address": source.address,
      "source.port": source.port,
      "source.user": source.user,
      "source.tls": hasUnknown(source.tls) ? unknownValue : sayTls(source.tls),
      connectRetrySeconds: wanted.connectRetrySeconds,
      retryCount: wanted.retryCount,
      heartbeatSeconds: wanted.heartbeatSeconds,
    },
    {
      "source.address": seen.address,
      "source.port": seen.port,
      "source.user": seen.user,
      "source.tls": seen.tls,
      connectRetrySeconds: seen.connectRetrySeconds,
      retryCount: seen.retryCount,
      heartbeatSeconds: seen.heartbeatSeconds,
    },
  );
  return passwordChanged ? [...known, { property: "source.password", from: "", to: "changed" }] : known;
}

/** Threads of the applier; null if it is stopped, and its threads are those of its next start. */
export const compareWorkers = (wanted: number | undefined, running: number | null): Difference[] =>
  wanted === undefined || running === null || running === wanted
    ? []
    : [{ property: "workers", from: String(running), to: String(wanted) }];

/** Another address or port makes the receiver begin again. */
export const movesReceiver = (because: readonly Difference[]): boolean =>
  because.some(({ property }) => property === "source.address" || property === "source.port");

export const compareDelay = (wanted: ChannelSettings, seen: SeenSettings): Difference[] =>
  compare({ delaySeconds: wanted.delaySeconds }, { delaySeconds: seen.delaySeconds });

/**
 * Sets every option of a channel, so that no setting of an earlier source remains.
 * - without `position` the channel continues where it is
 * - `assigns` is the uuid of the GTIDs that the replica gives to transactions without; null: it gives none
 */
export function pointChannel(
  server: ServerFacts,
  channel: string,
  settings: ChannelSettings,
  at: { readonly position: Position | null; readonly files: TlsFiles | null; readonly assigns: string | null },
): Statement {
  return changeReplicationSource(
    server,
    {
      ...receiverOptions(settings, at.files),
      ...startOptions(server, at),
      SOURCE_DELAY: settings.delaySeconds,
    },
    channel,
  );
}

/**
 * The receiver's part alone: the applier need not stop for it. Address and port stay out, since naming them - even as they are -
 * resets the receiver's position.
 */
export function changeReceiver(
  server: ServerFacts,
  channel: string,
  settings: ChannelSettings,
  files: TlsFiles | null,
): Statement {
  const { SOURCE_HOST: _host, SOURCE_PORT: _port, ...options } = receiverOptions(settings, files);
  return changeReplicationSource(server, options, channel);
}

/** The applier's part alone: the receiver need not stop for it. */
export const changeDelay = (server: ServerFacts, channel: string, delaySeconds: number): Statement =>
  changeReplicationSource(server, { SOURCE_DELAY: delaySeconds }, channel);

function receiverOptions({ source, ...settings }: ChannelSettings, files: TlsFiles | null) {
  return {
    SOURCE_HOST: source.address,
    SOURCE_PORT: source.port,
    SOURCE_USER: source.user,
    SOURCE_PASSWORD: secret(source.password, "source.password"),
    SOURCE_CONNECT_RETRY: settings.connectRetrySeconds,
    SOURCE_RETRY_COUNT: settings.retryCount,
    SOURCE_HEARTBEAT_PERIOD: settings.heartbeatSeconds,
    ...tlsOptions(source.tls, files),
  } satisfies SourceOptions;
}

function tlsOptions(tls: Source["tls"], files: TlsFiles | null): SourceOptions {
  const given = typeof tls === "object" && files !== null ? { ...tls, files } : undefined;
  return {
    SOURCE_SSL: tls === "off" ? 0 : 1,
    SOURCE_SSL_CA: given?.files.ca ?? "",
    SOURCE_SSL_CERT: given?.cert === undefined ? "" : given.files.cert,
    SOURCE_SSL_KEY: given?.key === undefined ? "" : given.files.key,
    SOURCE_SSL_VERIFY_SERVER_CERT: given?.verifyIdentity === true ? 1 : 0,
    // Without TLS a caching_sha2_password login needs the source's key (error 2061); with TLS it is of no use.
    GET_SOURCE_PUBLIC_KEY: tls === "off" ? 1 : 0,
  };
}

const anonymousModes = new Set(["OFF", "OFF_PERMISSIVE"]);

/** Whether the replica assigns GTIDs to transactions without. */
export const assignsGtids = (
  position: Position,
  modes: { readonly source: string; readonly replica: string },
): boolean => position.by === "file" && anonymousModes.has(modes.source) && modes.replica === "ON";

/**
 * The uuid of the GTIDs that a new channel gives to transactions without. Not the replica's own (LOCAL), so that they
 * differ from writes on the replica. Each replica has its own: two replicas number the same transactions
 * differently, and one GTID on two servers must mean one transaction. An existing channel keeps the uuid it has.
 */
export const assignedUuid = (channel: string, replicaUuid: string): string =>
  uuidFrom(`sluice: anonymous transactions of channel ${channel} into ${replicaUuid}`);

/** The uuids that a channel of this name may have used here: 0.1.0 derived one from the name alone. */
export const assignedUuids = (channel: string, replicaUuid: string): readonly string[] => [
  assignedUuid(channel, replicaUuid),
  uuidFrom(`sluice: anonymous transactions of channel ${channel}`),
];

function uuidFrom(text: string): string {
  const hash = createHash("sha256").update(text).digest("hex");
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `8${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join("-");
}

function startOptions(
  server: ServerFacts,
  { position, assigns }: { readonly position: Position | null; readonly assigns: string | null },
): SourceOptions {
  if (position === null) return {};
  const assigning: SourceOptions = has(server, "assignGtidsToAnonymous")
    ? { ASSIGN_GTIDS_TO_ANONYMOUS_TRANSACTIONS: assigns ?? keyword("OFF") }
    : {};
  if (position.by === "gtid") return { SOURCE_AUTO_POSITION: 1, ...assigning };
  return {
    SOURCE_AUTO_POSITION: 0,
    SOURCE_LOG_FILE: position.file,
    SOURCE_LOG_POS: BigInt(position.position),
    ...assigning,
  };
}
