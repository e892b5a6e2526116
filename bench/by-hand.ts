import type { Place } from "./place";
import { phases, type Phases } from "./output";
import {
  channelScript,
  cloneScript,
  dumpScript,
  endScript,
  handDirectory,
  mydumperScript,
  serverScript,
  sourceOptions,
} from "./by-hand-scripts";

export type Way = "mysqldump" | "CLONE" | "mydumper";

/** Inside the host's own group of processes, as a login would be: its processor time is then the host's. */
const inUnit = ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", "--setenv=HOME=/root"];

/** What an administrator with a shell on the staging host does, with a server configured like Sluice's. */
export async function workByHand(place: Place, way: Way, optionText: string, limitSeconds: number): Promise<Phases> {
  const { staging } = place;
  await cleanUp(place);
  await put(place, `${handDirectory}/my.cnf`, handOptions(optionText));
  await put(place, `${handDirectory}/source.cnf`, sourceOptions(place));
  const script = [serverScript, dataScripts[way](place), channelScript(place, limitSeconds)].join("\n");
  // `timeout` leads a group of its own, so that a pipe that hangs ends as a whole.
  const { stdout } = await staging.run(
    [...inUnit, "timeout", "--kill-after=30", String(limitSeconds), "bash", "-euo", "pipefail", "-s"],
    {
      stdin: script,
    },
  );
  const times = new Map(
    [...stdout.matchAll(/^phase (\w+) ([\d.]+)$/gm)].map(([, name = "", seconds]) => [name, Number(seconds)]),
  );
  const [server = NaN, data = NaN, channel = NaN] = phases.map((name) => times.get(name));
  await cleanUp(place);
  return { server, data, channel };
}

const dataScripts = { mysqldump: dumpScript, CLONE: cloneScript, mydumper: mydumperScript } as const;

/** The settings of our server, for another directory and port, without what only we need. */
function handOptions(ours: string): string {
  const directory = /^datadir = (.*)\/data$/m.exec(ours)?.[1];
  if (directory === undefined) throw new Error("the option file of our server names no datadir");
  return ours
    .replaceAll(`${directory}/`, `${handDirectory}/`)
    .replace(/^(#.*|init_file = .*|!includedir .*)\n/gm, "")
    .replace(/^port = .*$/m, "port = 3308")
    .replace(/^server_id = .*$/m, "server_id = 4000000001");
}

const put = ({ staging }: Place, file: string, text: string) =>
  staging.run(["sh", "-c", 'mkdir -p "${1%/*}" && umask 077 && cat >"$1"', "put", file], { stdin: text });

const cleanUp = ({ staging }: Place) => staging.run(["sh", "-c", endScript]);
