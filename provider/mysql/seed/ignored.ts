import { SluiceError } from "../../errors";
import type { MysqlReader } from "../reader";
import { id, sql } from "../sql";

/** Objects of the source, as `database.object`, that a dump leaves out: views, routines, triggers and events. */
export type Ignored = readonly string[];

/** The object's name follows the first point: a database with a point in its name cannot be named. */
export function parseIgnored(name: string): { readonly database: string; readonly object: string } {
  const at = name.indexOf(".");
  return { database: name.slice(0, at), object: name.slice(at + 1) };
}

/** mysqldump leaves views out by this; it has no option for the other kinds. */
export const ignoringOptions = (ignored: Ignored): readonly string[] => ignored.map((name) => `--ignore-table=${name}`);

export const ignoredFiles = { program: "ignore.pl", names: "ignored" } as const;

/** The rows of a table cannot be left out: the channel would stop at their first change (1146). */
export async function requireNoTables(
  source: MysqlReader,
  { object, endpoint, ignored }: { readonly object: string; readonly endpoint: string; readonly ignored: Ignored },
): Promise<void> {
  if (ignored.length === 0) return;
  const rows = await source.query<{ name: string }>(
    sql`SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) AS name FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) IN (${ignored}) ORDER BY 1`,
  );
  if (rows.length === 0) return;
  throw new SluiceError({
    code: "SEED_IGNORED_TABLE",
    object,
    what: `cannot be seeded from ${endpoint}, \`ignoreObjects\` names ${rows.length === 1 ? "a table" : "tables"}`,
    found: rows.map(({ name }) => name).join(", "),
    needs: "names of views, procedures, functions, triggers or events",
    fix: "remove tables from `ignoreObjects`; on the source, change what this server refuses in them, or bring only other databases (`databases`)",
  });
}

/**
 * Drops from our own dump the statements that create an ignored routine, trigger or event. mysqldump writes each of
 * them with the delimiter `;;`, and `CREATE` at the beginning of the first line.
 */
const ignoreProgram = `use strict; use warnings;
my ($database, %ignored, $body, $skip) = ("");
open(my $list, "<", "${ignoredFiles.names}") or die "${ignoredFiles.names}: $!\\n";
while (<$list>) { chomp; $ignored{$_} = 1 }
while (<STDIN>) {
  if ($skip) { $skip = substr($_, -3) ne ";;\\n"; next }
  if (/^DELIMITER (\\S+)/) { $body = $1 ne ";" }
  elsif (!$body && /^USE (\`(?:[^\`]|\`\`)+\`);/) { $database = $1 }
  elsif ($body && /^(?:\\/[*]!\\d+ )?CREATE\\b.*?\\b(?:PROCEDURE|FUNCTION|TRIGGER|EVENT)\\b[^\`]*(\`(?:[^\`]|\`\`)+\`)/ && $ignored{"$database.$1"}) {
    $skip = substr($_, -3) ne ";;\\n";
    next;
  }
  print;
}
`;

export function filesOfIgnored(ignored: Ignored): Readonly<Record<string, string>> {
  if (ignored.length === 0) return {};
  const lines = ignored.map((name) => {
    const { database, object } = parseIgnored(name);
    return `${id(database).text}.${id(object).text}\n`;
  });
  return { [ignoredFiles.program]: ignoreProgram, [ignoredFiles.names]: lines.join("") };
}
