/** What a dump in SQL says about itself, anywhere in its text. Pure; text comes in pieces of any size. */
import { DumpParts, type DumpPart } from "./parts";
import { parseGtidSet, renderGtidSet, uniteGtidSets } from "../../gtid";
import {
  dumpedFile,
  dumpedFromReplica,
  dumpedPosition,
  dumpedPositionStatement,
  dumpedReplicaHeading,
  dumpedStatusHeading,
} from "../../terms";

export interface DumpFacts {
  /** False for a text that no known program wrote and that neither creates nor fills anything. */
  readonly isDump: boolean;
  /** True when the text, and every dump in it, ends as the program ends a finished dump. */
  readonly complete: boolean;
  readonly tool: DumpTool | undefined;
  /** The server that was dumped: "8.0.36", "10.11.6-MariaDB". */
  readonly serverVersion: string | undefined;
  /** Canonical; the union of several statements. Empty: the server had executed nothing. Undefined: not said. */
  readonly gtidPurged: string | undefined;
  readonly file: string | undefined;
  readonly position: number | undefined;
  /**
   * The server whose binary log `file` is: of the dumped server, or of the server it replicates from
   * (`--dump-replica`).
   */
  readonly positionOf: "dumped-server" | "its-source" | undefined;
  /** Created or used by the text, sorted. */
  readonly databases: readonly string[];
  /** What the head of a single-database dump names; such a dump creates and uses none. */
  readonly headDatabase: string | undefined;
  /** `all`: the dump was made with --all-databases. `named`: with names of databases. */
  readonly scope: "all" | "named" | "unknown";
  /** One for each dump in the text: several may be in one file, taken at different moments. */
  readonly parts: readonly DumpPart[];
  /** The beginnings of GTID sets that cannot be read. */
  readonly unreadableGtids: readonly string[];
}

export type DumpTool = "mysqldump" | "mariadb-dump" | "mysqlpump" | "mydumper" | "mysql-shell";

/** Enough of a line for every fact but a GTID set, and little enough to hold: INSERT lines have megabytes. */
const keptCharacters = 4096;
/** A GTID set of this length has some 200,000 intervals; a longer text is not a GTID set. */
const gtidCharacters = 8 * 1024 * 1024;

interface Found {
  tool?: DumpTool;
  serverVersion?: string;
  file?: string;
  position?: number;
  positionOf?: "dumped-server" | "its-source";
  databases: Set<string>;
  headDatabase?: string;
  saysAll: boolean;
  content: boolean;
  lastLine: string;
}

/** `push` every piece of text, then `finish`. */
export class DumpScanner {
  readonly #found: Found = { databases: new Set(), saysAll: false, content: false, lastLine: "" };
  readonly #parts = new DumpParts();
  #line = "";
  /** The text of a GTID statement whose closing quote has not come yet. */
  #gtidText: string | undefined;
  /** The text of a CHANGE REPLICATION SOURCE whose semicolon has not come yet. */
  #positionText: string | undefined;
  #inRoutine = false;
  #section: "source" | "replica" | undefined;
  #replicaPosition = false;

  push(piece: string): void {
    let from = 0;
    for (let end = piece.indexOf("\n"); end >= 0; end = piece.indexOf("\n", from)) {
      this.append(piece, from, end);
      this.readLine(this.#line.replace(/\r$/, ""));
      this.#line = "";
      from = end + 1;
    }
    this.append(piece, from, piece.length);
  }

  finish(): DumpFacts {
    if (this.#line !== "") this.readLine(this.#line);
    this.#line = "";
    if (this.#gtidText !== undefined) this.#parts.addUnreadable(this.#gtidText);
    const { databases, content, lastLine, headDatabase, saysAll, ...facts } = this.#found;
    const parts = this.#parts.finish();
    const sets = parts.flatMap(({ gtidSet }) => (gtidSet === undefined ? [] : [parseGtidSet(gtidSet)]));
    return {
      tool: facts.tool,
      serverVersion: facts.serverVersion,
      file: facts.file,
      position: facts.position,
      positionOf: facts.positionOf,
      headDatabase,
      gtidPurged: sets.length === 0 ? undefined : renderGtidSet(uniteGtidSets(...sets)),
      databases: [...databases].sort(),
      isDump: facts.tool !== undefined || content || databases.size > 0,
      complete: endPattern.test(lastLine) && parts.every(({ complete }) => complete),
      scope: saysAll || databases.has("mysql") ? "all" : headDatabase === undefined ? "unknown" : "named",
      parts,
      unreadableGtids: this.#parts.unreadable,
    };
  }

  /** Keeps as much of a line as it may need; its first characters tell whether it holds a GTID set. */
  private append(piece: string, from: number, to: number): void {
    const head = this.#line.length < 256 ? this.#line + piece.slice(from, Math.min(to, from + 256)) : this.#line;
    const isGtid = this.#gtidText !== undefined || /GTID/i.test(head.slice(0, 256));
    const room = (isGtid ? gtidCharacters : keptCharacters) - this.#line.length;
    if (room > 0) this.#line += piece.slice(from, Math.min(to, from + room));
  }

  private readLine(line: string): void {
    if (this.#gtidText !== undefined) return this.continueGtid(line);
    if (this.#positionText !== undefined) return this.continuePosition(line);
    if (line.trim() === "") return;
    this.#found.lastLine = line.slice(0, keptCharacters);
    // Bodies of routines and events are the only raw lines of data: their text is not part of the dump's own statements.
    const delimiter = /^DELIMITER\s+(\S+)/i.exec(line);
    if (delimiter) this.#inRoutine = delimiter[1] !== ";";
    if (this.#inRoutine || delimiter || insertPattern.test(line)) {
      this.#found.content = true;
      return;
    }
    this.readHead(line);
    this.readPosition(line);
    this.readMetadata(line);
    this.readDatabases(line);
    if (gtidPurgedPattern.test(line)) this.startGtid(line);
  }

  private readHead(line: string): void {
    for (const [pattern, tool] of heads) {
      if (!pattern.test(line)) continue;
      if (this.#found.tool === undefined || tool !== "mydumper" || this.#parts.isEnded) this.#parts.begin();
      this.#found.tool ??= tool;
    }
    if (endPattern.test(line)) this.#parts.end();
    const [, headVersion, metadataVersion] = versionPattern.exec(line) ?? [];
    const version = headVersion ?? metadataVersion;
    if (version !== undefined) this.#found.serverVersion ??= version;
    const database = headDatabasePattern.exec(line)?.[1]?.trim();
    if (database) this.#found.headDatabase ??= database;
    if (database === "") this.#found.saysAll = true;
  }

  private readPosition(line: string): void {
    if (dumpedFromReplica.test(line)) this.#replicaPosition = true;
    const settings = dumpedPositionStatement.exec(line)?.[1];
    if (settings === undefined) return;
    this.#positionText = "";
    this.continuePosition(settings);
  }

  private continuePosition(line: string): void {
    const text = `${this.#positionText} ${line}`;
    const ended = text.includes(";") || text.length > keptCharacters;
    this.#positionText = ended ? undefined : text;
    if (!ended) return;
    const of = this.#replicaPosition ? "its-source" : "dumped-server";
    this.keepPosition(dumpedFile.exec(text)?.[1], dumpedPosition.exec(text)?.[1], of);
  }

  /** The position of the dumped server itself is worth more than that of the server it follows. */
  private keepPosition(
    file: string | undefined,
    position: string | undefined,
    of: "dumped-server" | "its-source",
  ): void {
    const at = file ?? this.#found.file;
    if (at !== undefined && position !== undefined) this.#parts.addPosition(`${at}:${position}`, of);
    if (this.#found.positionOf === "dumped-server" && of === "its-source") return;
    if (file !== undefined) {
      this.#found.file = file;
      this.#found.positionOf = of;
    }
    if (position !== undefined) this.#found.position = Number(position);
  }

  /** mydumper's `metadata` file, in a stream or next to its SQL, and the `@.json` of MySQL Shell. */
  private readMetadata(line: string): void {
    if (dumpedStatusHeading.test(line)) this.#section = "source";
    else if (dumpedReplicaHeading.test(line)) this.#section = "replica";
    else if (/^\[/.test(line)) this.#section = undefined;
    if (this.#section === "source") {
      const [, name, value] = metadataPattern.exec(line) ?? [];
      const plain = value?.trim().replace(/^['"]|['"]$/g, "");
      if (name === undefined || plain === undefined) return;
      if (/file$|^log$/i.test(name)) this.keepPosition(plain, undefined, "dumped-server");
      else if (/pos/i.test(name)) this.keepPosition(undefined, plain, "dumped-server");
      else if (/gtid/i.test(name) && plain !== "") this.#parts.addGtids(plain);
      return;
    }
    const gtids = /"gtidExecuted"\s*:\s*"([^"]+)"/.exec(line)?.[1];
    if (gtids !== undefined) this.#parts.addGtids(gtids.replaceAll("\\n", ""));
    const file = /"binlogFile"\s*:\s*"([^"]+)"/.exec(line)?.[1];
    const position = /"binlogPosition"\s*:\s*(\d+)/.exec(line)?.[1];
    if (file !== undefined || position !== undefined) this.keepPosition(file, position, "dumped-server");
  }

  private readDatabases(line: string): void {
    const [, quoted, plain] = databasePattern.exec(line) ?? usePattern.exec(line) ?? [];
    const name = quoted?.replaceAll("``", "`") ?? plain;
    if (name !== undefined) this.#found.databases.add(name);
    if (createPattern.test(line)) this.#found.content = true;
  }

  private startGtid(line: string): void {
    const text = line.slice(line.search(gtidPurgedPattern));
    this.#gtidText = text.slice(text.indexOf("=") + 1).replace(/\/\*!\d+\s*'\+'\s*\*\//, "");
    this.endGtid();
  }

  private continueGtid(line: string): void {
    this.#gtidText = (this.#gtidText ?? "") + line.replace(/^--\s?/, "");
    this.endGtid();
  }

  /** Complete at its second quote; given up at the end of a statement without one, or when it is endless. */
  private endGtid(): void {
    const text = this.#gtidText ?? "";
    const quoted = /['"]\s*\+?([^'"]*)['"]/.exec(text)?.[1];
    if (quoted !== undefined) this.#parts.addGtids(quoted);
    const hasOpened = /['"]/.test(text);
    const isGivenUp = text.length > gtidCharacters || (!hasOpened && /;\s*$/.test(text));
    if (quoted === undefined && isGivenUp) this.#parts.addUnreadable(text);
    if (quoted !== undefined || isGivenUp) this.#gtidText = undefined;
  }
}

/** A whole text at once. */
export function readDumpFacts(text: string): DumpFacts {
  const scanner = new DumpScanner();
  scanner.push(text);
  return scanner.finish();
}

const heads: readonly (readonly [RegExp, DumpTool])[] = [
  [/^-- MySQL dump \d/, "mysqldump"],
  [/^-- MariaDB dump \d/, "mariadb-dump"],
  [/^-- Dump created by MySQL (?:pump|dump) utility/, "mysqlpump"],
  [/^-- MySQLShell dump \d/, "mysql-shell"],
  [/"dumper"\s*:\s*"mysqlsh/, "mysql-shell"],
  [/^#? ?Started dump at:|^-- metadata(?:\.partial)?\b/, "mydumper"],
];

const versionPattern = /^-- Server version:?\s+(\S+)|"serverVersion"\s*:\s*"([^"]+)"/;
const headDatabasePattern = /^-- Host: .*\bDatabase: (.*)$/;
const gtidPurgedPattern = /@@GLOBAL\.GTID_PURGED\s*=|\bSET\s+GLOBAL\s+GTID_PURGED\s*=/i;
const metadataPattern = /^\s*#?\s*([A-Za-z_]+)\s*[:=]\s*(.*)$/;
const databasePattern =
  /^\s*CREATE\s+(?:DATABASE|SCHEMA)\s+(?:\/\*!\d+\s+)?(?:IF\s+NOT\s+EXISTS\s*)?(?:\*\/\s*)?(?:`((?:``|[^`])+)`|([^\s;`"']+))/i;
const usePattern = /^\s*USE\s+(?:`((?:``|[^`])+)`|([^\s;`"']+))\s*;/i;
const createPattern = /^\s*(?:\/\*!\d+\s+)?CREATE\s+(?:TABLE|VIEW|OR REPLACE)/i;
const insertPattern = /^\s*(?:INSERT|REPLACE)\s+(?:IGNORE\s+)?INTO\s/i;
/** mysqldump and mariadb-dump, mysqlpump, mydumper. */
const endPattern = /^-- Dump completed|^-- Dump end time:|^#? ?Finished dump at:/;
