import { type Command, sh } from "../../../host/command";
import type { HostReader } from "../../../host/host";
import type { Binaries } from "../binaries";
import type { Instance } from "../instance";
import { layoutOf, type Layout } from "../layout";

/** What the kernel allows mysqld here, in addition to owners and modes; null if nothing confines it. */
export type Confinement = AppArmor | SeLinux | null;

export interface AppArmor {
  readonly kind: "apparmor";
  /** As the kernel names it: `/usr/sbin/mysqld` or `mysqld`. */
  readonly profile: string;
  /** Null if no file below /etc/apparmor.d declares it. */
  readonly profileFile: string | null;
  /** The file that the profile includes for local rules; null if it includes none. */
  readonly localFile: string | null;
  /** The profile with what it includes. */
  readonly rules: string;
}

export interface SeLinux {
  readonly kind: "selinux";
  /** The type that the policy gives to the directory, and the one that it has, if it exists. */
  readonly types: readonly string[];
  /** Null if unknown, because semanage is not installed. */
  readonly ports: readonly PortRange[] | null;
}

type PortRange = readonly [from: number, to: number];

type Place = Pick<Instance, "layout" | "runtime" | "port"> & { readonly binaries: Pick<Binaries, "mysqld"> };

/** One round trip; only root can see it, and without root mysqld is the user's own and not confined by either policy. */
export async function readConfinement(host: HostReader, place: Place): Promise<Confinement> {
  if (!place.runtime.asRoot) return null;
  const { stdout } = await host.query(lookCommand(place), { asRoot: true });
  return parseConfinement(stdout, place.binaries.mysqld);
}

function lookCommand({ layout, binaries }: Place): Command {
  const { mysqld } = binaries;
  return sh`
    text() { echo "$1 $(base64 | tr -d '\n')"; }
    loaded=/sys/kernel/security/apparmor/profiles
    if [ -r $loaded ] && grep -qE ${`^(${escapeExpression(mysqld)}|mysqld) `} $loaded; then
      text profiles <$loaded
      file=$(grep -lE ${`^[^#]*(^|[[:space:]"])${escapeExpression(mysqld)}"?[[:space:]][^,]*[{]|^[[:space:]]*profile[[:space:]]+"?mysqld"?[[:space:]]`} /etc/apparmor.d/* 2>/dev/null | head -n 1)
      if [ -n "$file" ]; then
        echo "file $file"
        text profile <"$file"
        left=$(includes() { sed -nE 's/^[[:space:]]*#?include[[:space:]]+(if exists[[:space:]]+)?[<"]([^>"]+)[>"].*/\2/p' "$@"; }; includes "$file" | grep -v '^tunables/')
        for name in $left; do [ -f "/etc/apparmor.d/$name" ] && cat "/etc/apparmor.d/$name"; [ -d "/etc/apparmor.d/$name" ] && cat "/etc/apparmor.d/$name"/*; done 2>/dev/null | text included
      fi
    fi
    if [ "$(getenforce 2>/dev/null || cat /sys/fs/selinux/enforce 2>/dev/null)" = Enforcing ] || [ "$(cat /sys/fs/selinux/enforce 2>/dev/null)" = 1 ]; then
      echo "selinux $(matchpathcon -n ${mysqld} 2>/dev/null)"
      echo "type $(matchpathcon -n ${layout.directory} 2>/dev/null)"
      [ ! -e ${layout.directory} ] || echo "label $(stat -c %C ${layout.directory} 2>/dev/null)"
      if command -v semanage >/dev/null; then semanage port -l -n 2>/dev/null | sed -nE 's/^mysqld_port_t[[:space:]]+tcp[[:space:]]+/ports /p'; echo semanage; fi
    fi
    exit 0`;
}

const escapeExpression = (text: string): string => text.replaceAll(/[.[\]{}()*+?^$|\\]/g, "\\$&");

export function parseConfinement(output: string, mysqld: string): Confinement {
  const lines = output.split("\n");
  const all = (key: string) =>
    lines.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1));
  const text = (key: string) => Buffer.from(all(key)[0] ?? "", "base64").toString("utf8");
  const armor = text("profiles")
    .split("\n")
    .map((line) => /^(.+) \((\w+)\)$/.exec(line))
    .find((match) => match !== null && [mysqld, "mysqld"].includes(match[1] ?? "") && deniesIn.has(match[2] ?? ""));
  if (armor != null) {
    const profile = text("profile");
    const local = /^\s*#?include\s+(?:if exists\s+)?<(local\/[^>]+)>/m.exec(profile)?.[1];
    return {
      kind: "apparmor",
      profile: armor[1] ?? "",
      profileFile: all("file")[0] ?? null,
      localFile: local === undefined ? null : `/etc/apparmor.d/${local}`,
      rules: `${profile}\n${text("included")}`,
    };
  }
  // systemd starts what is of another type outside of mysqld's domain.
  if (!/:mysqld_exec_t(:|$)/.test(all("selinux")[0] ?? "")) return null;
  // `?` is the label of a file system that has none.
  const contexts = [...all("type"), ...all("label").filter((label) => label !== "?")];
  const types = contexts.map((context) => context.split(":")[2] ?? "");
  const ports = all("ports").flatMap((line) => line.split(",").map(parseRange));
  return {
    kind: "selinux",
    types,
    ports: lines.includes("semanage") ? ports : null,
  };
}

/** `complain` only writes a log. */
const deniesIn: ReadonlySet<string> = new Set(["enforce", "kill"]);

function parseRange(text: string): PortRange {
  const [from = "", to = from] = text.trim().split("-");
  return [Number(from), Number(to)];
}

/** What mysqld needs of each part of its directory, as AppArmor writes it. */
const needs = ({
  directory,
}: Pick<Layout, "directory">): readonly { readonly path: string; readonly may: string }[] => [
  { path: `${directory}/{my.cnf,my.cnf.draft,init.sql}`, may: "r" },
  { path: `${directory}/{conf.d,tls}/{,**}`, may: "r" },
  { path: `${directory}/{data,data.initialising,trial,run,log,tmp}/{,**}`, may: "rwk" },
];

/** The rules to add to a profile. */
export const armorRules = (layout: Pick<Layout, "directory">): readonly string[] =>
  needs(layout).map(
    ({ path, may }) => `"${escapeGlob(layout.directory)}${path.slice(layout.directory.length)}" ${may},`,
  );

const escapeGlob = (text: string): string => text.replaceAll(/[[\]{}*?^"\\]/g, "\\$&");

/** One label for all of it: what is made below a labelled directory takes its label, sockets and temporary files by the policy. */
export const labelOf = ({ directory }: Pick<Layout, "directory">) => ({
  type: "mysqld_db_t",
  pattern: `${escapeExpression(directory)}(/.*)?`,
});

export interface Missing {
  /** AppArmor: rules; SELinux: commands. In order. */
  readonly lines: readonly string[];
  readonly port: boolean;
}

/** What mysqld would be denied; null if nothing is. */
export function missingIn(confinement: Confinement, { layout, port }: Pick<Place, "layout" | "port">): Missing | null {
  if (confinement === null) return null;
  if (confinement.kind === "apparmor") {
    const allowed = parseRules(confinement.rules);
    const isAllowed = samples(layout).every(({ path, may }) => covers(allowed, path, may));
    return isAllowed ? null : { lines: armorRules(layout), port: false };
  }
  const isLabelled = confinement.types.every((type) => type.startsWith("mysqld_"));
  const isPortMissing =
    confinement.ports !== null && !confinement.ports.some(([from, to]) => from <= port && port <= to);
  if (isLabelled && !isPortMissing) return null;
  const { type, pattern } = labelOf(layout);
  return {
    lines: [
      ...(isLabelled
        ? []
        : [sh`semanage fcontext -a -t ${type} ${pattern}`.text, sh`restorecon -RF ${layout.directory}`.text]),
      ...(isPortMissing ? [sh`semanage port -a -t mysqld_port_t -p tcp ${port}`.text] : []),
    ],
    port: isPortMissing,
  };
}

/** Files of a server, and what mysqld does with them. */
function samples({ directory }: Pick<Layout, "directory">): readonly { readonly path: string; readonly may: string }[] {
  const of = layoutOf(directory);
  const read = [of.optionFile, of.optionDraft, of.initFile, `${of.optionDirectory}/x.cnf`, `${of.tls}/x.pem`];
  const data = [`${of.data}/ibdata1`, `${of.data}/shop/item.ibd`, `${of.dataInitialising}/ibdata1`];
  return [
    ...read.map((path) => ({ path, may: "r" })),
    ...[...data, of.errorLog, `${of.tmp}/x`].map((path) => ({ path, may: "rw" })),
    { path: `${of.data}/ibdata1`, may: "k" }, // InnoDB locks its files
    { path: of.socket, may: "rw" },
  ];
}

interface Rule {
  readonly path: RegExp;
  readonly may: string;
}

/** `"/srv/x/**" rwk,` and `rw /srv/x/*,`; what a rule with a variable allows is not known here. */
function parseRules(text: string): readonly Rule[] {
  return text.split("\n").flatMap((line) => {
    const rule = line.replace(/^\s*(?:(?:owner|audit|allow)\s+)*/, "").replace(/\s*(?:#.*)?$/, "");
    const match = /^("[^"]+"|\/\S+)\s+([a-zA-Z]+)\s*,$/.exec(rule) ?? /^([a-z]+)\s+("[^"]+"|\/\S+)\s*,$/.exec(rule);
    if (match === null) return [];
    const [, one = "", two = ""] = match;
    const [path, may] = /^["/]/.test(one) ? [one, two] : [two, one];
    return [{ path: globExpression(path.replaceAll('"', "")), may }];
  });
}

const covers = (rules: readonly Rule[], path: string, may: string): boolean =>
  [...may].every((letter) => rules.some((rule) => rule.may.includes(letter) && rule.path.test(path)));

/** apparmor.d(5), "Globbing". */
function globExpression(glob: string): RegExp {
  let depth = 0;
  const text = glob.replaceAll(/\\(.)|\*\*|[*?{},]|\[[^\]]*\]|[.+^$|()]/g, (part, escaped?: string) => {
    if (escaped !== undefined) return escapeExpression(escaped);
    if (part.startsWith("[")) return part;
    switch (part) {
      case "**":
        return ".*";
      case "*":
        return "[^/]*";
      case "?":
        return "[^/]";
      case "{":
        depth++;
        return "(?:";
      case "}":
        depth--;
        return ")";
      case ",":
        return depth > 0 ? "|" : ",";
      default:
        return `\\${part}`;
    }
  });
  return new RegExp(`^${text}$`);
}
