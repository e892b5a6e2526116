import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { findLab, LabError, readLabs, startLab, stopLab, type Lab, type LabHost } from "./index.ts";

const usage = `usage: npm run lab -- COMMAND [OPTIONS]

  up                        make or complete a lab and start it
  down                      end it; nothing stays behind
  status                    its hosts, and how to reach them
  ssh HOST [COMMAND...]     a shell on a host, as its user "sluice" (sudo needs no password)
  mysql HOST [OPTION...]    a MySQL client on a host, as root through its socket

  --name NAME               which lab; several run side by side (default "default")
  --hosts NAMES             up: source,staging,runner and further ones: source2 (default source,staging)
  --data-megabytes N        up: size of the source's data, when it is made (default 300)
  --bind FROM:TO            up: show a directory of this machine inside the hosts, when they are made; repeatable
  --json                    status: for programs
  --all                     down, status: every lab of this machine`;

const say = (line: string) => process.stdout.write(`${line}\n`);
const progress = (line: string) => process.stderr.write(`lab: ${line}\n`);

async function main(args: readonly string[]): Promise<number> {
  const command = args[0];
  const isPassThrough = command === "ssh" || command === "mysql";
  // What follows HOST belongs to ssh or mysql, options included.
  const own = isPassThrough ? args.slice(0, firstOperand(args) + 1) : args;
  const { values, positionals } = parseArgs({
    args: [...own],
    allowPositionals: true,
    options: {
      name: { type: "string", default: "default" },
      hosts: { type: "string" },
      "data-megabytes": { type: "string" },
      bind: { type: "string", multiple: true },
      json: { type: "boolean", default: false },
      all: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    say(usage);
    return 0;
  }
  switch (command) {
    case "up": {
      const startedAt = Date.now();
      const lab = await startLab({
        name: values.name,
        ...(values.hosts === undefined ? {} : { hosts: values.hosts.split(",") }),
        ...(values["data-megabytes"] === undefined ? {} : { dataMegabytes: Number(values["data-megabytes"]) }),
        ...(values.bind === undefined ? {} : { binds: values.bind.map(parseBind) }),
        log: progress,
      });
      progress(`up after ${((Date.now() - startedAt) / 1_000).toFixed(1)} s`);
      await showLab(lab);
      return 0;
    }
    case "down": {
      const names = values.all ? (await readLabs()).map(({ name }) => name) : [values.name];
      for (const name of names) {
        await stopLab(name, progress);
        progress(`${name} is down, nothing of it is left`);
      }
      return 0;
    }
    case "status": {
      const labs = values.all ? await readLabs() : [await requireLab(values.name)];
      if (values.json) say(JSON.stringify(await Promise.all(labs.map(describeLab)), undefined, 2));
      else for (const lab of labs) await showLab(lab);
      return 0;
    }
    case "ssh":
    case "mysql": {
      const host = (await requireLab(values.name)).host(positionals[1] ?? "source");
      const rest = args.slice(own.length);
      return command === "ssh"
        ? openShell(await requireLab(values.name), host, rest)
        : openClient(await requireLab(values.name), host, rest);
    }
    default:
      process.stderr.write(`${usage}\n`);
      return 2;
  }
}

/** Index of HOST in `ssh [--name NAME] HOST ...`. */
function firstOperand(args: readonly string[]): number {
  let index = 1;
  while (args[index]?.startsWith("--")) index += args[index]?.includes("=") ? 1 : 2;
  return index;
}

function parseBind(text: string): { from: string; to: string } {
  const [from, to] = text.split(":");
  if (from?.startsWith("/") && to?.startsWith("/")) return { from, to };
  throw new LabError(`"${text}" is not a bind`, { needs: "two absolute paths: --bind /here:/there" });
}

async function requireLab(name: string): Promise<Lab> {
  const lab = await findLab(name, progress);
  if (lab) return lab;
  throw new LabError(`there is no lab ${name}`, {
    fix: `npm run lab -- up${name === "default" ? "" : ` --name ${name}`}`,
  });
}

async function describeLab(lab: Lab) {
  const hosts = [...lab.hosts.values()].map(async (host) => ({
    ...Object.fromEntries(Object.entries(host).filter(([, value]) => typeof value !== "function")),
    isRunning: await host.isRunning(),
  }));
  return { name: lab.name, network: lab.network, sshConfigPath: lab.sshConfigPath, hosts: await Promise.all(hosts) };
}

async function showLab(lab: Lab): Promise<void> {
  say(`lab ${lab.name}  ${lab.network}`);
  for (const host of lab.hosts.values()) {
    say(
      `  ${host.name.padEnd(9)} ${host.address.padEnd(15)} ${(await host.isRunning()) ? "up" : "off"}   host key ${host.hostKeyFingerprint}`,
    );
    if (host.mysql)
      say(
        `            mysql ${host.address}:${host.mysql.port} as ${host.mysql.user}, options in ${host.mysql.optionFile}`,
      );
  }
  say(`  ssh       ssh -F ${lab.sshConfigPath} ${[...lab.hosts.keys()][0] ?? "HOST"}`);
}

function openShell(lab: Lab, host: LabHost, command: readonly string[]): Promise<number> {
  return attach("ssh", ["-F", lab.sshConfigPath, host.name, ...command]);
}

/** On the host and as its root, so that no password is needed; MySQL's own client is not on this machine. */
function openClient(lab: Lab, host: LabHost, args: readonly string[]): Promise<number> {
  const quoted = ["sudo", "mysql", ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const terminal = process.stdin.isTTY ? ["-t"] : [];
  return attach("ssh", ["-F", lab.sshConfigPath, ...terminal, host.name, quoted]);
}

function attach(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: "inherit" });
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
