/** The parts in which a run of Sluice and the same work by hand are compared. */
export const phases = ["server", "data", "channel"] as const;
export type Phase = (typeof phases)[number];
export type Phases = Readonly<Record<Phase, number>>;

/** What one operation of a resource cost, by its own line (provider/pulumi/cost.ts). */
export interface Cost {
  readonly resource: string;
  readonly operation: string;
  readonly seconds: number;
  /** ssh connections, processes and byte streams on them. */
  readonly connections: number;
  readonly commands: number;
  readonly streams: number;
  /** Sessions with a MySQL server, and statements in them. */
  readonly logins: number;
  readonly statements: number;
}

/** Seconds of the steps, from lines like `1/5 claim directory /srv/x · 0.1 s`. */
export function readPhases(output: string): Phases {
  const sums = { server: 0, data: 0, channel: 0 };
  for (const { resource, text } of readDiagnostics(output)) {
    const [, what, seconds] = /^\d+\/\d+ (.+) · (\d+\.\d+) s$/.exec(text) ?? [];
    if (what !== undefined) sums[phaseOf(resource, what)] += Number(seconds);
  }
  return sums;
}

function phaseOf(resource: string, what: string): Phase {
  if (resource === "ReplicationChannel") return "channel";
  return /^(go on seeding|seed) /.test(what) ? "data" : "server";
}

const costLine =
  /^(?:debug: )?cost of (\w+): ([\d.]+) s, connections (\d+), commands (\d+), streams (\d+), logins (\d+), statements (\d+)$/;

export function readCosts(output: string): Cost[] {
  return readDiagnostics(output).flatMap(({ resource, text }) => {
    const found = costLine.exec(text);
    if (found === null) return [];
    const [seconds = 0, connections = 0, commands = 0, streams = 0, logins = 0, statements = 0] = found
      .slice(2)
      .map(Number);
    return [{ resource, operation: found[1] ?? "", seconds, connections, commands, streams, logins, statements }];
  });
}

interface Line {
  readonly resource: string;
  readonly text: string;
}

/** The part at the end that holds every line once, under its resource. */
function readDiagnostics(output: string): Line[] {
  const [, part = ""] = output.split("\nDiagnostics:\n");
  let resource: string | undefined;
  return part.split("\n").flatMap((line) => {
    const header = /^ {2}(\S.*):$/.exec(line)?.[1];
    if (header !== undefined) resource = /sluice:(\w+) \(/.exec(header)?.[1];
    return header !== undefined || resource === undefined ? [] : [{ resource, text: line.trim() }];
  });
}
