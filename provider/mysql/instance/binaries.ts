import { isProblem, SluiceError } from "../../errors";
import { sh } from "../../host/command";
import type { HostReader } from "../../host/host";
import { changerFunction, parseChanger } from "../../host/trust";
import { compareVersions, oldestVersions, type ServerFacts } from "../capabilities";

/** The programs of one MySQL installation. */
export interface Binaries {
  readonly mysqld: string;
  readonly server: ServerFacts;
  /** Where it was declared. */
  readonly baseDirectory: string | null;
  readonly pluginDirectory: string;
  readonly hasAuthSocket: boolean;
  readonly hasClone: boolean;
  /** mysqld tells systemd when it is ready. */
  readonly notifies: boolean;
  /** The clients of MySQL; null if there are none. MariaDB's do not count: their dumps and options differ. */
  readonly mysql: Client | null;
  readonly mysqldump: Client | null;
}

export interface Client {
  readonly path: string;
  readonly server: ServerFacts;
}

/** Where installations put mysqld that no PATH names: Red Hat, the vendor's archive, source builds, Homebrew. */
const usualPlaces = [
  "/usr/sbin",
  "/usr/bin",
  "/usr/libexec",
  "/usr/local/mysql/bin",
  "/usr/local/sbin",
  "/usr/local/bin",
  "/opt/mysql/bin",
  "/opt/homebrew/opt/mysql/bin",
  "/opt/homebrew/bin",
];

export interface BinariesWanted {
  readonly object: string;
  /** The installation to use; discovered when absent. */
  readonly baseDirectory?: string | undefined;
}

/** Finds mysqld and what belongs to it. Throws SERVER_BINARY_MISSING. One round trip. */
export async function readBinaries(host: HostReader, wanted: BinariesWanted): Promise<Binaries> {
  const { uid, canBecomeRoot } = await host.facts();
  const { stdout } = await host.query(searchCommand(wanted.baseDirectory, canBecomeRoot ? uid : null));
  const found = parseSearch(stdout, wanted.baseDirectory);
  if ("mysqld" in found) return found;
  throw new SluiceError({
    code: "SERVER_BINARY_MISSING",
    object: wanted.object,
    what: found.refused.length === 0 ? `there is no mysqld on ${host.name}` : `no mysqld on ${host.name} can be used`,
    found:
      found.refused.length > 0
        ? found.refused.join("\n")
        : wanted.baseDirectory === undefined
          ? "none on PATH or in the usual folders"
          : `none below ${wanted.baseDirectory}`,
    needs: `mysqld of MySQL or Percona Server, ${oldestVersions.managed} or newer`,
    fix:
      wanted.baseDirectory === undefined
        ? "install it (Debian: apt-get install mysql-server-core mysql-client-core), or set `baseDirectory`"
        : "set `baseDirectory` to the folder that holds bin/mysqld, or remove it to search PATH",
  });
}

/** The same for a server that may be there without its programs: to be looked at, stopped and removed it needs none. */
export async function findBinaries(
  host: HostReader,
  wanted: BinariesWanted,
): Promise<{ readonly binaries: Binaries | null; readonly problem: SluiceError | null }> {
  try {
    return { binaries: await readBinaries(host, wanted), problem: null };
  } catch (error) {
    if (isProblem(error, "SERVER_BINARY_MISSING")) return { binaries: null, problem: error };
    throw error;
  }
}

/** Prints one line a program, then the chosen one's details. The first mysqld that is not MariaDB is examined. */
function searchCommand(baseDirectory: string | undefined, connectedUid: number | null) {
  const folders =
    baseDirectory === undefined
      ? usualPlaces
      : ["bin", "sbin", "libexec"].map((folder) => `${baseDirectory}/${folder}`);
  const onPath = baseDirectory === undefined ? sh`command -v "$1" 2>/dev/null;` : sh``;
  return sh`
    places() { ${onPath} for d in "$near" ${folders}; do [ -n "$d" ] && [ -x "$d/$1" ] && echo "$d/$1"; done; }
    # Run by root, or by a user who may become root: a program that another user can change is not.
    ${connectedUid === null ? sh`changer() { :; }` : changerFunction(connectedUid)}
    near=; mysqld=
    IFS='
'
    for path in $(places mysqld); do
      found=$(IFS=' '; changer "$path" all 0)
      [ -z "$found" ] || { echo "unsafe|$path|$found"; continue; }
      said=$("$path" --no-defaults --version 2>/dev/null) || continue
      echo "mysqld|$path|$said"
      case $said in *MariaDB*) ;; *) [ -n "$mysqld" ] || mysqld=$path ;; esac
    done
    [ -n "$mysqld" ] || exit 0
    near=$(dirname "$mysqld")
    plugins=$("$mysqld" --no-defaults --verbose --help 2>/dev/null | sed -n 's/^plugin-dir  *//p' | head -n 1)
    plugins=$(printf %s "$plugins" | sed 's,/*$,,')
    echo "plugins|$plugins|"
    for name in auth_socket mysql_clone; do [ -e "$plugins/$name.so" ] && echo "plugin|$name|"; done
    grep -qa NOTIFY_SOCKET "$mysqld" && echo "notifies||"
    for name in mysql mysqldump; do
      for path in $(places "$name"); do [ -n "$(IFS=' '; changer "$path" all 0)" ] || echo "$name|$path|$("$path" --no-defaults --version 2>/dev/null)"; done
    done
    exit 0`;
}

export type Search = Binaries | { readonly refused: readonly string[] };

export function parseSearch(output: string, baseDirectory: string | undefined): Search {
  const lines = output.split("\n").map(parseLine);
  const servers = lines.filter(({ key }) => key === "mysqld");
  const usable = servers.find(({ said }) => parseProgram(said)?.flavour !== "mariadb");
  const server = usable && parseProgram(usable.said);
  if (!usable || !server || compareVersions(server.version, oldestVersions.managed) < 0)
    return {
      refused: [...new Set([...servers.map(({ path, said }) => `${path}: ${versionWords(said)}`), ...unsafeIn(lines)])],
    };
  const plugins = new Set(lines.filter(({ key }) => key === "plugin").map(({ path }) => path));
  return {
    mysqld: usable.path,
    server,
    baseDirectory: baseDirectory ?? null,
    pluginDirectory: lines.find(({ key }) => key === "plugins")?.path ?? "",
    hasAuthSocket: plugins.has("auth_socket"),
    hasClone: plugins.has("mysql_clone"),
    notifies: lines.some(({ key }) => key === "notifies"),
    mysql: clientOf(lines, "mysql"),
    mysqldump: clientOf(lines, "mysqldump"),
  };
}

/** What is not run, because another user can change it. */
const unsafeIn = (lines: readonly Line[]): string[] =>
  lines.flatMap(({ key, path, said }) => {
    const changer = key === "unsafe" ? parseChanger(said) : undefined;
    return changer === undefined
      ? []
      : [`${path}: not run, ${changer.who} can change ${changer.step} (chown -R root it)`];
  });

interface Line {
  readonly key: string;
  readonly path: string;
  readonly said: string;
}

function parseLine(line: string): Line {
  const [key = "", path = "", ...said] = line.split("|");
  return { key, path, said: said.join("|") };
}

function clientOf(lines: readonly Line[], name: string): Client | null {
  for (const { key, path, said } of lines) {
    const server = key === name ? parseProgram(said) : undefined;
    if (server && server.flavour !== "mariadb") return { path, server };
  }
  return null;
}

/**
 * `/usr/sbin/mysqld  Ver 8.0.36-28 for Linux on x86_64 (Percona Server (GPL), ...)`;
 * `mysql  Ver 15.1 Distrib 10.11.6-MariaDB, for debian-linux-gnu`.
 */
function parseProgram(said: string): ServerFacts | undefined {
  const version = /Distrib (\S+?),/.exec(said)?.[1] ?? /Ver (\S+)/.exec(said)?.[1];
  if (version === undefined) return undefined;
  return { flavour: /mariadb/i.test(said) ? "mariadb" : /percona/i.test(said) ? "percona" : "mysql", version };
}

function versionWords(said: string): string {
  const program = parseProgram(said);
  return program ? `${program.flavour} ${program.version}` : said.trim();
}
