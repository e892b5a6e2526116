import { SluiceError } from "../../errors";
import { asUserCommand, Command, sh } from "../../host/command";
import type { InstancePlace } from "./instance";
import type { Layout } from "./layout";

/** What around a directory, or in data without a mark, decides whether a managed server can run there. */
export interface Surroundings {
  /** The directory of another server that this one is inside of. */
  readonly enclosing: { readonly directory: string; readonly is: "server" | "data" } | null;
  /** The first directory on the way to the socket that mysqld's user, or the ssh user, may not enter. */
  readonly closed: { readonly user: string; readonly directory: string } | null;
  /** The first names in a data directory that has no mark and no data dictionary of MySQL 8. */
  readonly foreignData: readonly string[] | null;
  /** Another process that uses files of a data directory without a mark. */
  readonly dataHolder: { readonly pid: number; readonly command: string } | null;
}

/** Checked first: another server's data is also reported as unsafe, but that is not the real problem. */
export const enclosingLook = ({ directory }: Pick<Layout, "directory">): Command => sh`
    p=${directory}
    while [ "$p" != / ]; do
      p=$(dirname "$p")
      if [ -e "$p/sluice.json" ]; then echo "enclosing server $p"; break
      elif [ -e "$p/mysql.ibd" ] || [ -e "$p/ibdata1" ]; then echo "enclosing data $p"; break; fi
    done`;

/** Expects `pid`: mysqld's own process, or 0. */
export function surroundingsLook({ layout, runtime }: Pick<InstancePlace, "layout" | "runtime">): Command {
  const enter = new Command(
    [
      `rest=${sh`${layout.run}`.text} at=`,
      'while rest=${rest#/}; [ -n "$rest" ]; do next=${rest%%/*}; rest=${rest#"$next"}; at=$at/$next',
      '[ -e "$at" ] || exit 0; [ ! -d "$at" ] || [ -x "$at" ] || { printf "%s\\n" "$at"; exit 0; }; done',
    ].join("\n"),
  );
  const { asRoot, osUser, connectedUser } = runtime;
  // If mysqld's user does not exist yet, the system's unprivileged user may enter the same directories.
  const mayEnter = (user: string) =>
    asRoot
      ? sh`u=${user}; id -u "$u" >/dev/null 2>&1 || u=nobody; at=$( { ${asUserOf(enter)}; } 2>/dev/null); [ -z "$at" ] || echo closed ${user} "$at"`
      : sh`at=$( ${enter} ); [ -z "$at" ] || echo closed ${user} "$at"`;
  const users = [...new Set([osUser, ...(connectedUser === "root" ? [] : [connectedUser])])];
  return sh`
    ${new Command(users.map((user) => mayEnter(user).text).join("\n"))}
    if [ -d ${layout.data} ] && [ ! -e ${layout.mark} ]; then
      # 8.0 and later keep the data dictionary there; no option moves it.
      [ -e ${layout.data}/mysql.ibd ] || echo "foreign $(ls -A ${layout.data} | head -n 8 | base64 | tr -d '\n')"
      real=$(cd -P ${layout.data} && pwd | sed 's/[][*?\\]/\\&/g')
      for p in $(find /proc/[0-9]*/cwd /proc/[0-9]*/fd -maxdepth 1 -type l '(' -lname "$real" -o -lname "$real/*" ')' 2>/dev/null | cut -d/ -f3 | sort -un); do
        [ "$p" = "$pid" ] || [ "$p" = $$ ] || { echo "holder $p $(tr '\0' ' ' <"/proc/$p/cmdline" | cut -c 1-200)"; break; }
      done
    fi`;
}

const asUserOf = (command: Command): Command =>
  new Command(asUserCommand("USER", command).text.replaceAll("-u USER", '-u "$u"'));

export function parseSurroundings(lines: readonly string[]): Surroundings {
  const match = (pattern: RegExp) => lines.map((line) => pattern.exec(line)).find((found) => found !== null);
  const enclosing = match(/^enclosing (server|data) (.+)$/);
  const closed = match(/^closed (\S+) (.+)$/);
  const foreign = match(/^foreign (.*)$/);
  const holder = match(/^holder (\d+) (.*)$/);
  return {
    enclosing: enclosing ? { is: enclosing[1] === "server" ? "server" : "data", directory: enclosing[2] ?? "" } : null,
    closed: closed ? { user: closed[1] ?? "", directory: closed[2] ?? "" } : null,
    foreignData: foreign
      ? Buffer.from(foreign[1] ?? "", "base64")
          .toString("utf8")
          .split("\n")
          .filter((name) => name !== "")
      : null,
    dataHolder: holder ? { pid: Number(holder[1]), command: (holder[2] ?? "").trim() } : null,
  };
}

/** The other server's owner may remove or replace all that is below its own directory. */
export function requireApart(
  { object, layout }: Pick<InstancePlace, "object" | "layout">,
  { enclosing }: Pick<Surroundings, "enclosing">,
): void {
  if (enclosing === null) return;
  const whose = enclosing.is === "server" ? "the directory" : "the data";
  throw new SluiceError({
    code: "STORAGE_DIRECTORY_NESTED",
    object,
    what: `cannot use directory ${layout.directory}, it is inside ${whose} of another MySQL server`,
    found: `${enclosing.directory} holds ${enclosing.is === "server" ? "sluice.json" : "mysql.ibd or ibdata1"}`,
    needs: "a separate directory: removing the other server removes everything below its directory",
    fix: "choose a `directory` outside of it",
  });
}
