import type { ServerFacts } from "../../provider/mysql/capabilities";
import {
  cloneDonorNeeds,
  dumpNeeds,
  followNeeds,
  observeNeeds,
  renderGrants,
  type Need,
} from "../../provider/mysql/privileges/privileges";
import { renderCode, renderPage, renderTable } from "./markdown";

const account = { user: "sluice", host: "10.20.%" };
const today: ServerFacts = { flavour: "mysql", version: "8.4.0" };
const before: ServerFacts = { flavour: "mysql", version: "8.0.19" };

/** What a security team grants before the first `up`: made from the same lists that are checked then. */
export function renderPrivileges(): string {
  const forClone = [...cloneDonorNeeds(), ...followNeeds()];
  const forDump = (server: ServerFacts, databases: readonly string[] | "ALL") => [
    ...dumpNeeds(server, databases),
    ...followNeeds(),
  ];
  const both = [...followNeeds(), ...observeNeeds()];
  return renderPage("provider/mysql/privileges/privileges.ts", [
    "# Privileges on the source",
    "The user of `source` needs these privileges, and no others; it never writes on the source. Seeding checks them before anything is changed, and an error prints the GRANT that is missing. One user can do everything. A separate user for the channel, whose password is stored in the replica, needs only the privileges listed under ReplicationChannel.",
    "Connections come from the staging host, so its address follows the `@`. On the staging host itself the ssh user must be root or have `sudo` without a password.",
    renderCode("sql", `CREATE USER 'sluice'@'10.20.%' IDENTIFIED BY '...' REQUIRE SSL;`),
    ...part('`seed: "dump"`, all databases', forDump(today, "ALL")),
    ...part('`seed: "dump"`, `databases: ["shop"]`', forDump(today, ["shop"])),
    "Before MySQL 8.0.20 there is no SHOW_ROUTINE; then instead of it:",
    renderCode("sql", grants(dumpNeeds(before, ["shop"]).filter(({ why }) => why === "read the bodies of routines"))),
    ...part('`seed: "clone"`', forClone),
    "A clone copies everything, accounts included, whatever this user may read.",
    '## `seed: { file }` and `seed: "none"`',
    "Nothing for seeding. The account that makes the file needs the privileges of a dump.",
    ...part("`ReplicationChannel`, by GTID", followNeeds()),
    ...part("`ReplicationChannel`, by file and position", both),
  ]);
}

function part(title: string, needs: readonly Need[]): string[] {
  const rows = [...new Map(needs.map((need) => [`${need.privilege} ${need.database ?? ""}`, need])).values()].map(
    ({ privilege, database, orElse = [], why }) => [
      privilege,
      database === undefined ? "`*.*`" : `\`${database}.*\``,
      why,
      orElse.join(", "),
    ],
  );
  return [
    `## ${title}`,
    renderCode("sql", grants(needs)),
    renderTable(["privilege", "on", "needed to", "or, on `*.*`"], rows),
  ];
}

const grants = (needs: readonly Need[]): string =>
  renderGrants(needs, account)
    .map(({ display }) => `${display};`)
    .join("\n");
