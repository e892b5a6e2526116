import { rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { isProblem } from "../../provider/errors";
import { sh } from "../../provider/host/command";
import { withHost } from "../../provider/host/pool";
import type { Host } from "../../provider/host/host";
import { connectMysql } from "../../provider/mysql/client";
import type { MysqlClient } from "../../provider/mysql/reader";
import { makePassword, parseAccountFile } from "../../provider/mysql/instance/accounts/management";
import { readBinaries } from "../../provider/mysql/instance/binaries";
import { runtimeOf, type Instance } from "../../provider/mysql/instance/instance";
import { layoutOf, managementAccount } from "../../provider/mysql/instance/layout";
import { awaitAnswering, startInstance } from "../../provider/mysql/instance/start";
import { stopInstance } from "../../provider/mysql/instance/stop";
import { ensureDirectories, ensureOsUser, writeConfiguration } from "../../provider/mysql/instance/prepare";
import { initialiseData } from "../../provider/mysql/instance/data";
import { removeInstance } from "../../provider/mysql/instance/removal";
import { renderOptions } from "../../provider/mysql/instance/options";
import type { Place } from "./place";

const folder = path.join(homedir(), "sluice-quickstart");
const passwordFile = path.join(folder, "shop_sync.password");
const object = "quick start source";
const [sourcePort, stagingPort] = [3316, 3317]; // away from a MySQL of the user's own on 3306
const [startSeconds, stopSeconds] = [120, 120]; // a plain start takes 0.7 s, a stop of a small server less than 2 s (measured)

type Say = (text: string) => void;

/** No lab: source and staging are two servers of this machine, below one folder. */
export async function localPlace(say: Say): Promise<Place> {
  return withHost("local", async (host) => {
    const source = await sourceInstance(host);
    say(`both servers run on this machine, below ${folder}`);
    await ensureSource(host, source, say);
    const password = await ensureShop(host, source);
    const directory = path.join(folder, "shop");
    const client = (layout: Instance["layout"]) => (statement: string) => runSql(host, source, layout, statement);
    return {
      intro: `source on port ${String(sourcePort)}, staging on port ${String(stagingPort)}, both on this machine`,
      source: { address: "127.0.0.1", port: sourcePort, user: "shop_sync" },
      sourcePassword: password,
      directory,
      port: stagingPort,
      sourceSql: client(source.layout),
      stagingSql: client(layoutOf(directory)),
      lookAround: [
        `mysql --socket=${source.layout.socket} --user=${managementAccount}    the source`,
        `mysql --socket=${layoutOf(directory).socket} --user=${managementAccount}    the staging server`,
      ],
    };
  });
}

/** Stops the source and removes the folder; the staging server goes with it. */
export async function removeLocalPlace(say: Say): Promise<void> {
  if (!existsSync(folder)) return;
  say(`removing ${folder}`);
  await withHost("local", async (host) => {
    for (const name of ["shop", "source"]) {
      const instance = await instanceAt(host, path.join(folder, name), 0);
      await stopInstance(host, instance, { withinSeconds: stopSeconds, allowKill: true, report });
      await removeInstance(host, instance);
    }
  });
  await rm(folder, { recursive: true, force: true });
}

const report = { say: () => undefined, warn: () => undefined, debug: () => undefined, progress: () => undefined };

async function sourceInstance(host: Host): Promise<Instance> {
  try {
    return await instanceAt(host, path.join(folder, "source"), sourcePort);
  } catch (error) {
    if (!isProblem(error, "SERVER_BINARY_MISSING")) throw error;
    throw new Error(
      [
        "the quick start needs either Linux with root, for its lab of two hosts, or a mysqld >= 8.0 on this machine",
        "  for the lab      run it as root on Debian: sudo npm run quickstart",
        "  for a mysqld     macOS: brew install mysql    Debian: see dev.mysql.com for MySQL's own packages",
        `  found            ${error.problem.found ?? "neither"}`,
      ].join("\n"),
      { cause: error },
    );
  }
}

async function instanceAt(host: Host, directory: string, port: number): Promise<Instance> {
  const binaries = await readBinaries(host, { object });
  return {
    object,
    owner: "sluice/quickstart/source",
    layout: layoutOf(directory),
    runtime: runtimeOf(await host.facts()),
    binaries,
    port,
  };
}

async function ensureSource(host: Host, instance: Instance, say: Say): Promise<void> {
  await ensureOsUser(host, instance, report);
  await ensureDirectories(host, instance);
  const config = { bind_address: "127.0.0.1" };
  await writeConfiguration(host, instance, {
    optionText: renderOptions({ instance, serverId: 1, readOnly: false, config }),
  });
  await initialiseData(host, instance);
  await startInstance(host, instance);
  say("starting the source");
  const wait = { connect: () => connect(host, instance.layout), withinSeconds: startSeconds, report };
  await (await awaitAnswering(host, instance, wait)).close();
}

async function connect(host: Host, layout: Instance["layout"]): Promise<MysqlClient> {
  const account = await host.readFile(layout.accountFile, { asRoot: (await host.facts()).canBecomeRoot });
  const password = account === undefined ? undefined : parseAccountFile(account);
  return connectMysql({ socket: layout.socket, user: managementAccount, password }, host);
}

/** Through the client program: several statements at once, as the management account. */
async function runSql(
  host: Host,
  { binaries, runtime, object: name }: Instance,
  layout: Instance["layout"],
  statements: string,
): Promise<string> {
  if (binaries.mysql === null)
    throw new Error(`${name}: mysqld is installed, but no mysql client in its folder; install the client too`);
  const hasPassword = (await host.inspect(layout.accountFile, runtime)).kind === "file";
  const options = hasPassword ? [`--defaults-extra-file=${layout.accountFile}`] : ["--no-defaults"];
  const words = [
    ...options,
    "--batch",
    "--skip-column-names",
    `--socket=${layout.socket}`,
    `--user=${managementAccount}`,
  ];
  return (await host.run(sh`${binaries.mysql.path} ${words}`, { stdin: statements })).stdout;
}

/** A little shop, and the account that dumps and replicates it, with the password of the first run. */
async function ensureShop(host: Host, instance: Instance): Promise<string> {
  const password = await keptPassword(host);
  await runSql(host, instance, instance.layout, shop(password));
  return password;
}

async function keptPassword(host: Host): Promise<string> {
  const known = await host.readFile(passwordFile);
  if (known !== undefined) return known;
  const password = makePassword();
  await host.writeFile(passwordFile, password, { mode: 0o600 });
  return password;
}

const shop = (password: string): string => `
CREATE DATABASE IF NOT EXISTS shop;
CREATE TABLE IF NOT EXISTS shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, customer VARCHAR(80), total DECIMAL(10,2),
  at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, KEY (customer));
INSERT INTO shop.orders (customer, total)
  WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
  SELECT CONCAT('customer ', i), i * 1.5 FROM n WHERE NOT EXISTS (SELECT 1 FROM shop.orders);
CREATE USER IF NOT EXISTS shop_sync@'%';
ALTER USER shop_sync@'%' IDENTIFIED BY '${password}';
GRANT SELECT, PROCESS, LOCK TABLES, REPLICATION SLAVE, REPLICATION CLIENT, SHOW VIEW, EVENT, TRIGGER, BACKUP_ADMIN
  ON *.* TO shop_sync@'%';
`;
