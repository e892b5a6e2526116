import { sh } from "../../provider/host/command";
import { borrowHost } from "../../provider/host/pool";
import { readSeed } from "../../provider/mysql/seed/job";
import { seedFromFile } from "../../provider/mysql/seed/file/file";
import { sql } from "../../provider/mysql/sql";
import { addressOf, type ManagedServer } from "./managed-server";
import { beginAgain, dropEverything, requireSeeded, seedingOf, useSeedingLab } from "./seeding";

const lab = useSeedingLab();
const folder = "/srv/backups";

// As an administrator would take it: everything, with the source's accounts and an active position, at once compressed.
beforeAll(async () => {
  const options = [
    "--single-transaction",
    "--source-data=1",
    "--routines",
    "--triggers",
    "--events",
    "--all-databases",
  ];
  const source = ["--host", lab.address.address, "--user", lab.address.user, "--ssl-mode=REQUIRED"];
  const { host } = borrowHost(await addressOf(lab.staging));
  await host.run(
    sh`
    rm -rf ${folder} && mkdir ${folder} && cd ${folder} && umask 077 && cat >password.cnf || exit
    mysqldump --defaults-extra-file=password.cnf ${source} ${options} >full.sql || exit
    gzip -k full.sql && zstd -q full.sql
    size=$(wc -c <full.sql)
    head -c $((size / 2)) full.sql >half.sql
    head -c $(($(wc -c <full.sql.gz) / 2)) full.sql.gz >half.sql.gz
    { head -c $((size / 2)) full.sql; echo; echo "this is no SQL;"; tail -n 2 full.sql; } | gzip >garbled.sql.gz
    head -n $(($(wc -l <full.sql) - 1)) full.sql | gzip >endless.sql.gz
    for database in shop analytics; do
      mysqldump --defaults-extra-file=password.cnf ${source} --single-transaction --set-gtid-purged=ON --source-data=2 --databases $database || exit
    done >joined.sql
    mysqldump --defaults-extra-file=password.cnf ${source} --single-transaction --set-gtid-purged=ON --source-data=2 --databases shop >shop.sql || exit
    rm password.cnf
    { sed -n '1,/^USE .shop.;/p' full.sql; printf '%s\n' ${"CREATE VIEW `bad` AS SELECT * FROM `nowhere`.`t`;"}; echo '-- Dump completed'; } >bad.sql
    xz -k half.sql 2>/dev/null || printf '\375\067\172\130\132\000' >half.sql.xz
    : >empty.sql`,
    { stdin: `[client]\npassword = "${lab.address.password}"\n`, withinSeconds: 120 },
  );
});

afterAll(() => lab.staging.run(["rm", "-rf", folder]));

const accountsOf = async (server: ManagedServer): Promise<string> => {
  const mysql = await server.connect();
  const rows = await mysql.query<{ name: string }>(
    sql`SELECT CONCAT(user, '@', host) AS name FROM mysql.user WHERE user NOT LIKE 'mysql.%' ORDER BY 1`,
  );
  return rows.map(({ name }) => name).join(", ");
};

test("a backup of everything brings the user databases and its position, and no account; broken ones are told apart", async () => {
  const server = await lab.emptyServer("file", 3561);
  const from = (name: string, databases: "ALL" | string[] = "ALL") =>
    seedFromFile(seedingOf(server), { path: `${folder}/${name}`, databases });

  // Known before anything is touched.
  await expect(from("nothing.sql")).rejects.toMatchObject({ code: "SEED_FILE_MISSING" });
  await expect(from("half.sql")).rejects.toMatchObject({ code: "SEED_FILE_INCOMPLETE" });
  await expect(from("empty.sql")).rejects.toMatchObject({ code: "SEED_FILE_CORRUPT" });
  await expect(from("half.sql.xz")).rejects.toMatchObject({
    code: "SEED_FILE_CORRUPT",
    problem: { found: "a file in the format xz" },
  });
  expect(await readSeed(server.host, server.instance.layout)).toMatchObject({ state: "none" });

  // Known when it has been read.
  await expect(from("half.sql.gz")).rejects.toMatchObject({
    code: "SEED_FILE_CORRUPT",
    problem: { detail: expect.stringContaining("unexpected end of file") as string },
  });
  expect(await readSeed(server.host, server.instance.layout)).toMatchObject({ state: "failed" });
  await dropEverything(server);
  await expect(from("garbled.sql.gz")).rejects.toMatchObject({
    code: "SEED_FILE_CORRUPT",
    problem: { detail: expect.stringContaining("ERROR 1064") as string },
  });
  await dropEverything(server);
  // The lab's source is written to all the time: each dump has a moment of its own.
  await expect(from("joined.sql")).rejects.toMatchObject({
    code: "SEED_POSITION_DOUBTFUL",
    problem: { found: expect.stringMatching(/^dump 1: GTIDs .*\ndump 2: GTIDs /) as string },
  });
  await dropEverything(server);
  await expect(from("shop.sql")).rejects.toMatchObject({
    code: "SEED_FILE_NOT_FULL",
    problem: { fix: expect.stringContaining('declare `databases: ["shop"]`') as string },
  });
  await dropEverything(server);
  await expect(from("bad.sql")).rejects.toMatchObject({
    code: "SEED_FAILED",
    problem: { what: expect.stringContaining("the server refused a statement, at view `shop`.`bad`") as string },
  });
  await dropEverything(server);
  await expect(from("endless.sql.gz")).rejects.toMatchObject({ code: "SEED_FILE_INCOMPLETE" });
  await dropEverything(server);
  await expect(from("full.sql.gz", ["shop", "warehouse"])).rejects.toMatchObject({
    code: "SEED_FILE_NOT_FULL",
    problem: { what: expect.stringContaining("does not hold warehouse") as string },
  });
  await beginAgain(server);

  const accounts = await accountsOf(server);
  const result = await from("full.sql.gz");
  expect(result).toMatchObject({ method: "file", databases: ["analytics", "shop"], sourceUuid: null });
  await requireSeeded(server, result);
  expect(await accountsOf(server)).toBe(accounts);
});

test("plain and zstd files, a part of them, and the dump of one database are taken too", async () => {
  const server = await lab.emptyServer("file-kinds", 3562, { user: "sluice" });
  // Only root may read it: the connected user is let in by sudo.
  const [zstd, only] = [`${folder}/full.sql.zst`, `${folder}/only.sql`];
  const result = await seedFromFile(seedingOf(server), { path: zstd, databases: ["shop"] });
  expect(result.databases).toEqual(["shop"]);
  await requireSeeded(server, result);
  await beginAgain(server);

  await server.host.run(
    sh`sed -n '1,/^-- Current Database/p; /^USE .shop.;/,/^-- Current Database/p' ${folder}/full.sql | grep -v '^USE \|^-- Current Database\|^CREATE DATABASE' >/tmp/only.sql; echo '-- Dump completed' >>/tmp/only.sql; mv /tmp/only.sql ${only}`,
    { asRoot: true },
  );
  await expect(seedFromFile(seedingOf(server), { path: only, databases: "ALL" })).rejects.toMatchObject({
    code: "SEED_FILE_NOT_FULL",
  });
  const single = await seedFromFile(seedingOf(server), { path: only, databases: ["bazaar"] });
  expect(single.databases).toEqual(["bazaar"]);
});

test("a file system that fills up while a file is loaded is named", async () => {
  const directory = "/mnt/full-seed";
  const { host } = borrowHost(await addressOf(lab.staging));
  await host.run(sh`mkdir -p ${directory} && mount -t tmpfs -o size=300M none ${directory}`);
  try {
    const full = await lab.emptyServer("file-full", 3563, { directory });
    // No ballast: a server that was just started still makes its redo log's files, and would meet a full disk before the test does.
    await host.run(
      sh`used=$(df -kP ${directory} | awk 'NR == 2 { print $3 }') && mount -o remount,size=$((used + 9000))k ${directory}`,
    );
    await expect(seedFromFile(seedingOf(full), { path: `${folder}/full.sql`, databases: "ALL" })).rejects.toMatchObject(
      { code: "STORAGE_FULL" },
    );
    await full.remove();
  } finally {
    await host.run(sh`umount ${directory} && rmdir ${directory}`);
  }
});
