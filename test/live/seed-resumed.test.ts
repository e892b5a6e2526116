import { sql } from "../../provider/mysql/sql";
import type { Declaration, Written } from "../../resources/staging-database/schema";
import { useSeedingLab } from "./seeding";
import { useStagingLab } from "./staging-lab";

const lab = useStagingLab("/srv/resumed-test", { source: "source7" });
const servers = useSeedingLab();

jest.setTimeout(240_000);

/** A second production server, on the staging host: it writes names of tables in lower case. */
async function otherSource(port: number): Promise<NonNullable<Written["source"]>> {
  const server = await servers.emptyServer(`other-source-${port}`, port, {}, () => ({
    readOnly: false,
    config: { lower_case_table_names: 1, sql_mode: "ANSI_QUOTES" },
  }));
  const mysql = await server.connect();
  const password = "other's secret";
  await mysql.execute(sql`CREATE USER ${sql`other@${"%"}`} IDENTIFIED BY ${password}`);
  await mysql.execute(sql`GRANT ALL ON *.* TO ${sql`other@${"%"}`}`);
  await mysql.execute(sql`CREATE DATABASE warehouse`);
  await mysql.execute(sql`CREATE TABLE warehouse.Bins (id INT PRIMARY KEY)`);
  return { address: lab.staging.address, port, user: "other", password, tls: "required" };
}

const lookAt = async (declared: Declaration) => {
  const host = await lab.staging.run(["mysql", `--socket=${declared.socket}`, "--batch", "--skip-column-names"], {
    stdin:
      "SELECT GROUP_CONCAT(SCHEMA_NAME ORDER BY SCHEMA_NAME) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema'); SELECT @@lower_case_table_names, @@sql_mode",
  });
  const [databases, settings] = host.stdout.trim().split("\n");
  return { databases, settings };
};

test("a seeding that was begun for another source is ended and its data thrown away; for the same server it goes on", async () => {
  const stack = lab.stack("resumed");
  const first = lab.declare("resumed", 3581, { source: lab.source });
  try {
    await stack.interruptSeeding(first);
    await stack.refresh(first);

    // The same server under another name, with another account: nothing is thrown away.
    await lab.onSource(
      "DROP USER IF EXISTS rotated; CREATE USER rotated IDENTIFIED BY 'new'; GRANT ALL ON *.* TO rotated",
    );
    const moved = lab.declare("resumed", 3581, { source: { ...lab.source, user: "rotated", password: "new" } });
    expect(stack.preview(moved)).toMatch(/1 step\n.*continue seeding by a dump of/);
    await stack.interruptSeeding(moved).catch((error: unknown) => {
      // It may be through by then: what counts is that nothing was thrown away.
      if (!String(error).includes("ended before")) throw error;
    });
    expect(stack.lines.join("\n")).not.toContain("delete its data");

    const reseeded = lab.declare("resumed", 3581, { source: lab.source, reseed: "1" });
    await stack.interruptSeeding(reseeded);
    await stack.refresh(reseeded);
    const second = lab.declare("resumed", 3581, { reseed: "1", source: await otherSource(3582) });
    expect(stack.preview(second)).toContain("delete its data");
    const lines = (await stack.up(second)).join("\n");
    expect(lines).toContain("delete its data");
    expect(await lookAt(second)).toEqual({ databases: "warehouse", settings: "1\tANSI_QUOTES" });
    expect(await stack.up(second)).toEqual([]);
  } finally {
    await lab.onSource("DROP USER IF EXISTS rotated");
    await stack.destroy(first);
  }
});

test("reseed from a source with other settings initialises the data with those", async () => {
  const stack = lab.stack("inherited");
  const first = lab.declare("inherited", 3583, { source: lab.source });
  try {
    await stack.up(first);
    expect((await lookAt(first)).settings).toMatch(/^0\t/);
    const second = lab.declare("inherited", 3583, { source: await otherSource(3584), reseed: "1" });
    const previewed = [...stack.preview(second).matchAll(/^ +\d\. (.*?)(?: +!.*)?$/gm)].map(([, what]) => what);
    const done = (await stack.up(second)).flatMap((line) => /^\d\/\d (.*?) · /.exec(line)?.[1] ?? []);
    expect(done).toEqual(previewed);
    expect(await lookAt(second)).toEqual({ databases: "warehouse", settings: "1\tANSI_QUOTES" });
    expect(await stack.up(second)).toEqual([]);
  } finally {
    await stack.destroy(first);
  }
});
