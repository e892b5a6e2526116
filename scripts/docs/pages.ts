import { codes } from "../../provider/error-codes";
import { featureTable, oldestVersions } from "../../provider/mysql/capabilities";
import { managedServices } from "../../provider/mysql/managed-service";
import type { AnyRoom } from "../../provider/room";
import { holds, host, server, source, tls } from "../../provider/schema/connection";
import { describeFields } from "../../provider/schema/describe";
import { renderFields } from "./fields-table";
import { renderCode, renderPage, renderTable } from "./markdown";
import { anchorOf, renderResourcePage } from "./resource-page";
import { renderPrivileges } from "./privileges";
import { roomTexts } from "./rooms";

/** Every generated page, by its path. */
export function renderPages(root: string, rooms: readonly AnyRoom[]): ReadonlyMap<string, string> {
  const resources = roomTexts.map((text): [string, string] => {
    const room = rooms.find(({ kind }) => kind === text.kind);
    if (room === undefined) throw new Error(`there is no room ${text.kind}`);
    return [`docs/resources/${text.folder}.md`, renderResourcePage(root, room, text)];
  });
  return new Map([
    ...resources,
    ["docs/resources/connection.md", renderConnection()],
    ["docs/errors.md", renderErrors()],
    ["docs/compatibility.md", renderCompatibility()],
    ["docs/privileges.md", renderPrivileges()],
  ]);
}

function renderConnection(): string {
  const part = (title: string, text: string, schema: Parameters<typeof describeFields>[0]) => [
    `## ${title}`,
    text,
    renderFields(describeFields(schema)),
  ];
  return renderPage("provider/schema/connection.ts", [
    "# Hosts, servers, sources, TLS",
    "Values that all resources share. Put one into a constant and pass it to every resource that needs it: resources that name the same machine the same way share one ssh connection.",
    ...part("Host", 'A machine behind ssh, or `"local"`: the machine that Pulumi runs on.', host),
    renderCode("ts", hostExample),
    ...part(
      "Source",
      "The server that is replicated. `address` is the one that the replica, or the staging host, connects to.",
      source,
    ),
    ...part("Server", "One MySQL server. `server` of a StagingDatabase is such a value.", server),
    ...part(
      "TLS",
      '`"required"` encrypts and does not verify the certificate; a CA verifies it; `"off"` must be declared.',
      tls,
    ),
    ...part(
      "What it holds",
      "What a StagingDatabase was seeded with. Its channels take it with `server`, and their filters follow from it.",
      holds,
    ),
  ]);
}

const hostExample = `const stage1 = {
  address: "stage-1.example.net",
  user: "sluice",
  privateKey: config.requireSecret("sshKey"),
  hostKey: "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", // leave it out once: the error prints the fingerprint
};`;

function renderErrors(): string {
  const all = Object.entries(codes);
  const groups = [...new Set(all.map(([code]) => groupOf(code)))];
  return renderPage("provider/error-codes.ts", [
    "# Errors",
    "The first line of an error names the object, what failed and why, and ends with a code. Then, if known: what was `found`, what it `needs`, the `fix`, the `step` it happened in, and the `cause` in a program's own words.",
    ...groups.flatMap((group) => [
      `## ${group}`,
      ...all
        .filter(([code]) => groupOf(code) === group)
        .map(([code, meaning]) => `### ${code}\n\n<a id="${anchorOf(code)}"></a>${meaning}`),
    ]),
  ]);
}

const groupOf = (code: string): string => code.split("_")[0] ?? code;

function renderCompatibility(): string {
  const cell = (range: { readonly since: string; readonly until?: string } | undefined): string => {
    if (range === undefined) return "no";
    const since = range.since === "0" ? "" : `since ${range.since}`;
    const until = range.until === undefined ? "" : `until ${range.until}`;
    const words = [since, until].filter((part) => part !== "").join(", ");
    return words === "" ? "yes" : words;
  };
  const rows = featureTable.map(({ words, mysql, percona, mariadb }) => [
    words,
    cell(mysql),
    cell(percona ?? mysql),
    cell(mariadb),
  ]);
  return renderPage("provider/mysql/capabilities.ts", [
    "# Features by server version",
    "Sluice looks up features in this table and nowhere else. `until` names the first version that no longer has the feature.",
    `A replica must be MySQL or Percona Server ${oldestVersions.replica} or newer, of its source's kind, and not older than its source. A server that Sluice manages must be MySQL or Percona Server ${oldestVersions.managed} or newer.`,
    renderTable(["feature", "MySQL", "Percona Server", "MariaDB"], rows),
    "## Managed services as a source",
    "Sluice recognises the service by its variables and procedures. The same features work for all of them:",
    renderTable(
      ["", "works", "why"],
      [
        ['`seed: "dump"`', "yes", "it takes `LOCK TABLES ... READ` for a moment and needs neither RELOAD nor SUPER"],
        ['`seed: "clone"`', "no: `SOURCE_NOT_SUPPORTED`", "no service lets its servers be the donor of a CLONE"],
        ["`seed: { file }`", "yes", "a dump that you took yourself"],
        [
          "a ReplicationChannel",
          "yes",
          "with REPLICATION SLAVE and REPLICATION CLIENT, and binary logs that are kept long enough",
        ],
      ],
    ),
    "The account for all of it: `GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, PROCESS, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO ...`. These services are not part of the tests: the lab imitates an account without RELOAD and the procedures of Amazon RDS.",
    ...Object.entries(managedServices).flatMap(([service, { settings }]) => [
      `### ${service}`,
      settings.map((setting) => `- ${setting}`).join("\n"),
    ]),
    "## What a dump asks of a source",
    "- For at most 2 s, once, writers of the databases that are brought wait: `LOCK TABLES ... READ` while mysqldump opens its snapshot. A table that is written without a pause is locked with WRITE for that moment, so its readers wait too. Sluice waits up to 60 s, without a lock, for sessions that hold a table longer, and then names them (`SOURCE_BUSY`).",
    "- The source has 1 s to open and lock all tables of the databases that are brought, and 1.6 s until the snapshot is open. A source with very many tables needs table_open_cache and table_definition_cache above their number, or a dump of fewer `databases`; otherwise the dump fails after 60 s (`SOURCE_BUSY` names the number of tables).",
    '- With `databases: "ALL"` a database that is created after the databases were listed ends the dump before a row is loaded (`SEED_FAILED` names it). The next `pulumi up` brings it too.',
    "- If performance_schema does not show metadata locks (it is off, or the instrument `wait/lock/metadata/sql/mdl` is, as by default in 5.7), the dump asks for its locks with shorter limits and gives way to every session that waits for a table.",
    "- One snapshot stays open until the dump is loaded, about 11 hours for a TB. The source keeps the old rows of every change made meanwhile. Name a replica of production as `source` if that matters. `historyListLimit` ends the dump before the history list grows too long.",
    "- A session that waits for the dump, such as an ALTER TABLE of the table that is just read, ends the dump (`SOURCE_BUSY`) instead of waiting.",
    "- Values of FLOAT columns without a scale are rounded to six digits by mysqldump, and tables that are not InnoDB's are not part of the snapshot: both are refused by name (`SOURCE_ROWS_INEXACT`) unless `inexactRows` accepts them. DOUBLE, DECIMAL and FLOAT(M,D) arrive exactly.",
    "- Triggers, routines and events are brought unchanged. If one names a database that is not brought, it fails when it runs.",
  ]);
}
