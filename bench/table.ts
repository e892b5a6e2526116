import { phases } from "./output";
import type { Measured, Sample } from "./measure";
import { ratiosOf, type Ratio, type RowName } from "./rows";
import type { Machine } from "./machine";
import type { Place } from "./place";
import { spreadOf, type Spread } from "./statistics";

export interface Row extends Spread {
  readonly name: RowName;
  readonly runs: number;
  /** Medians; what is left of the whole is the Pulumi CLI, its SDK and our looking before and after. */
  readonly phases?: Readonly<Record<string, number>>;
  /** Median, of both hosts together. */
  readonly processorSeconds?: number;
  readonly ratios: readonly Ratio[];
}

export interface Results {
  readonly machine: Machine;
  readonly dataMegabytes: number;
  readonly rows: readonly Row[];
  readonly costs: Measured["costs"];
  readonly failed: Measured["failed"];
}

export function resultsOf(place: Place, machine: Machine, { samples, costs, failed }: Measured): Results {
  const names = [...new Set(samples.map(({ row }) => row))];
  const medians = new Map(names.map((name) => [name, spreadOf(secondsOf(samples, name)).median] as const));
  const rows = names.map((name) => {
    const values = secondsOf(samples, name);
    return {
      name,
      runs: values.length,
      ...spreadOf(values),
      ...phaseMedians(samples, name),
      ...processorMedian(samples, name),
      ratios: ratiosOf(name, medians),
    };
  });
  return { machine, dataMegabytes: place.dataMegabytes, rows, costs, failed };
}

const secondsOf = (samples: readonly Sample[], name: RowName): number[] =>
  samples.filter(({ row }) => row === name).map(({ seconds }) => seconds);

function phaseMedians(samples: readonly Sample[], name: RowName): Pick<Row, "phases"> {
  const known = samples.flatMap((sample) => (sample.row === name && sample.phases ? [sample.phases] : []));
  if (known.length === 0) return {};
  return {
    phases: Object.fromEntries(phases.map((phase) => [phase, spreadOf(known.map((one) => one[phase])).median])),
  };
}

function processorMedian(samples: readonly Sample[], name: RowName): Pick<Row, "processorSeconds"> {
  const known = samples.flatMap(({ row, processorSeconds }) =>
    row === name && processorSeconds !== undefined ? [processorSeconds] : [],
  );
  return known.length === 0 ? {} : { processorSeconds: spreadOf(known).median };
}

/** `--json`: what other programs read. Nothing is renamed or taken away. */
export const toJson = ({ machine, rows }: Results): object => ({
  machine,
  rows: rows.map(({ name, runs, min, median, max, ratios }) => ({ name, runs, min, median, max, ratios })),
});

export function renderResults({ machine, dataMegabytes, rows, costs, failed }: Results): string {
  return [
    `machine    ${String(machine.cores)} cores (${machine.processor}), ${String(machine.memoryGigabytes)} GB, load ${machine.load}`,
    `storage    ${machine.fileSystems}`,
    `settings   ${machine.settings}`,
    `versions   ${machine.versions}`,
    `data       ${String(dataMegabytes)} MB on the source, rows and indexes`,
    "",
    renderTable([
      ["seconds", "runs", "min", "median", "max", "server", "data", "channel", "hosts' cpu", "ratio of medians"],
      ...rows.map((row) => [
        row.name,
        String(row.runs),
        ...[row.min, row.median, row.max, ...phases.map((phase) => row.phases?.[phase]), row.processorSeconds].map(
          seconds,
        ),
        row.ratios.map(({ against, ratio }) => `${ratio.toFixed(2)} x ${against}`).join(", "),
      ]),
    ]),
    ...Object.entries(failed).map(([way, why]) => `a run of ${way} failed: ${why.replaceAll(/\s+/g, " ")}`),
    "",
    renderTable([
      ["cost of one operation", "seconds", "ssh connections", "commands", "streams", "MySQL logins", "statements"],
      ...Object.entries(costs).flatMap(([method, list]) =>
        list.map(({ resource, operation, ...cost }) => [
          `${operation} ${resource} (${method})`,
          cost.seconds.toFixed(1),
          ...[cost.connections, cost.commands, cost.streams, cost.logins, cost.statements].map(String),
        ]),
      ),
      ["nothing to do", "", "0", "0", "0", "0", "0"],
    ]),
  ].join("\n");
}

const seconds = (value: number | undefined): string => (value === undefined ? "" : value.toFixed(1));

function renderTable(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 || /[a-z]/.test(lines[1]?.[column] ?? "")
            ? cell.padEnd(widths[column] ?? 0)
            : cell.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
