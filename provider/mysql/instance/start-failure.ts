import type { Code } from "../../error-codes";
import { SluiceError } from "../../errors";
import { suggestOption } from "../options/misspelt";
import type { Instance } from "./instance";

/** The lines of an error log since the last start of mysqld. */
export function sinceLastStart(log: string): readonly string[] {
  const lines = log.split("\n").filter((line) => line.trim() !== "");
  const at = lines.findLastIndex((line) => /\[MY-015015\]|MySQL Server - start\b/.test(line));
  // 8.0 has no such line of its own: it begins with its version.
  const from = at >= 0 ? at : lines.findLastIndex((line) => /\[MY-010116\]/.test(line));
  return lines.slice(Math.max(from, 0));
}

interface Finding {
  readonly code: Code;
  readonly what: string;
  readonly found?: string;
  readonly needs?: string;
  readonly fix?: string;
}

interface Pattern {
  readonly seen: RegExp;
  readonly says: (match: RegExpExecArray, instance: Pick<Instance, "layout" | "port">) => Finding;
}

const option = (name: string | undefined): string => (name ?? "").replace(/^--/, "").replaceAll("-", "_");

const rejected = (what: string, name: string | undefined): Finding => ({
  code: "SERVER_OPTION_REJECTED",
  what,
  fix: `correct or remove \`${option(name)}\` in \`config\` or \`configFile\``,
});

/** With a suggestion, because the log names only the unknown option. */
function unknownOption(name: string): Finding {
  const near = suggestOption(name);
  const finding = rejected(`mysqld does not know the option ${name}`, name);
  const way = `if another version or a plugin knows it, write \`loose_${name}\``;
  return { ...finding, fix: `${near === undefined ? "" : `did you mean \`${near}\`? `}${finding.fix ?? ""}; ${way}` };
}

const fixedByData = (name: string, is: string, wanted: string): Finding => ({
  code: "SERVER_OPTION_REJECTED",
  what: `the data directory was initialised with another ${name}`,
  found: `${name} = ${is} in the data`,
  needs: `${name} = ${wanted} by the option file`,
  fix: `set \`${name}\` to ${is} again, or change \`reseed\`: its value is fixed when the data directory is initialised`,
});

const fullFinding = ({ layout }: Pick<Instance, "layout">): Finding => ({
  code: "STORAGE_FULL",
  what: `mysqld ended, the file system of ${layout.directory} is full`,
  fix: `make room in the file system of ${layout.directory}`,
});

/**
 * Ordered by what they tell: the first that is found is used. Texts of 8.0, 8.4 and 9.7,
 * share/messages_to_error_log.txt.
 */
const patterns: readonly Pattern[] = [
  {
    seen: /No space left on device|OS errno 28\b|errno: 28\b|Disk is full|Disk quota exceeded/,
    says: (_match, instance) => fullFinding(instance),
  },
  {
    seen: /Bind on TCP\/IP port: Address already in use|Do you already have another mysqld server running on port/,
    says: (_match, { port }) => ({
      code: "SERVER_PORT_TAKEN",
      what: `cannot listen on port ${port}, another process uses it`,
      fix: "choose another `port`, or stop that process",
    }),
  },
  // Before what is unknown: after a refused value InnoDB's own options are unknown to mysqld as well.
  {
    seen: /Error while setting value '(.*)' to '([^']+)'/,
    says: ([, value, name]) => rejected(`mysqld refuses the value ${value ?? ""} of ${option(name)}`, name),
  },
  {
    seen: /Unknown suffix '.' used for variable '([^']+)' \(value '([^']*)'\)/,
    says: ([, name, value]) => rejected(`mysqld refuses the value ${value ?? ""} of ${option(name)}`, name),
  },
  {
    seen: /unknown variable '([^'=]+)/,
    says: ([, name]) => unknownOption(option(name)),
  },
  {
    seen: /unknown option '(?:--)?([^'=]+)/,
    says: ([, name]) => unknownOption(option(name)),
  },
  {
    seen: /ambiguous option '(?:--)?([^'=]+)/,
    says: ([, name]) => rejected(`${option(name)} may be the beginning of several options`, name),
  },
  {
    seen: /option '(?:--)?([^']+)' (?:requires an argument|cannot take an argument)/,
    says: ([, name]) => rejected(`mysqld refuses the option ${option(name)} as it is written`, name),
  },
  {
    seen: /Different lower_case_table_names settings for server \('(\d)'\) and data dictionary \('(\d)'\)/,
    says: ([, wanted, is]) => fixedByData("lower_case_table_names", is ?? "", wanted ?? ""),
  },
  {
    seen: /uses page size (\d+), but the innodb_page_size start-up parameter is (\d+)/,
    says: ([, is, wanted]) => fixedByData("innodb_page_size", is ?? "", wanted ?? ""),
  },
  {
    seen: /Unable to lock .*ibdata|Another process with pid (\d+) is using unix socket file/,
    says: ([, pid], { layout }) => ({
      code: "SERVER_RUNNING_ELSEWHERE",
      what: `another mysqld, not started by Sluice, uses the data in ${layout.data}`,
      ...(pid !== undefined && { found: `process ${pid}` }),
      fix: "stop that process cleanly (mysqladmin shutdown)",
    }),
  },
  {
    seen: /OS errno:? 13\b|Permission denied/,
    says: (_match, { layout }) => ({
      code: "SERVER_START_FAILED",
      what: "mysqld ended, it has no permission to read or write one of its files",
      fix: `check the owners below ${layout.directory}, and AppArmor or SELinux: their rules for mysqld may allow only /var/lib/mysql`,
    }),
  },
];

/** InnoDB extends a tablespace by 4 MB at a time, and a start needs several files: with less than twice that, space is why. */
export const fullBytes = 8 * 2 ** 20;

/** Why mysqld ended, from what it wrote; `ending` is how. On a full file system it may not even have written that. */
export function startFailure(
  instance: Pick<Instance, "object" | "layout" | "port">,
  ending: string,
  lines: readonly string[],
  freeBytes: number = Infinity,
): SluiceError {
  const errors = lines.filter((line) => /\[ERROR\]|\[FATAL\]/i.test(line) || !/\[(System|Note|Warning)\]/.test(line));
  const finding = findIn(errors, instance) ?? (freeBytes < fullBytes ? fullFinding(instance) : undefined);
  return new SluiceError({
    object: instance.object,
    code: "SERVER_START_FAILED",
    what: `mysqld ended before it answered (${ending})`,
    fix: `read ${instance.layout.errorLog} on the host`,
    ...finding,
    detail: (errors.length > 0 ? errors : lines).slice(-detailLines).map(withoutTime).join("\n"),
  });
}

const detailLines = 20; // as many as the errors of commands show

const withoutTime = (line: string): string => line.replace(/^\d{4}-\d\d-\d\dT\S+ \d+ /, "");

function findIn(lines: readonly string[], instance: Pick<Instance, "layout" | "port">): Finding | undefined {
  for (const { seen, says } of patterns) {
    for (const line of lines) {
      const match = seen.exec(line);
      if (match !== null) return says(match, instance);
    }
  }
  return undefined;
}
