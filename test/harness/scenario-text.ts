import type { Lab } from "../../lab/index.ts";
import type { Place } from "./scenario-lab";

/** The last row of each resource, what stands under its name, and the totals: all of a preview that does not vary. */
export function previewText(output: string): string {
  const preview = output.split(/^Updating \(/m)[0] ?? "";
  const rows = new Map<string, string>();
  for (const line of preview.split("\n")) {
    const row = /^ ?.{1,3} +pulumi-nodejs:dynamic\/sluice:(\w+) (\S+) {1,2}(.*)$/.exec(line);
    if (row !== null) rows.set(`${row[1] ?? ""} ${row[2] ?? ""}`, line.trim());
  }
  return [...sortedRows(rows), "", ...diagnosticsIn(preview), "", ...totalsIn(preview)].join("\n");
}

const sortedRows = (rows: ReadonlyMap<string, string>): string[] =>
  [...rows].sort(([one], [other]) => one.localeCompare(other)).map(([, line]) => line);

type Steps = ReadonlyMap<string, readonly string[]>;

/** The steps that the preview of an `up` printed and those that it ran, by resource; without plans that depend on what `up` finds. */
export function promises(output: string): { readonly promised: Steps; readonly ran: Steps } {
  const [preview = "", update = ""] = output.split(/^Updating \(/m);
  const isOpen = /if it exists:|if data is in it:|(?:known|determined) during up/;
  const open = new Set(blocksIn(preview).flatMap(([resource, lines]) => (isOpen.test(lines.join()) ? [resource] : [])));
  const stepsIn = (text: string, step: RegExp): Steps =>
    new Map(
      blocksIn(text)
        .map(([resource, lines]) => [resource, lines.flatMap((line) => step.exec(line)?.[1] ?? [])] as const)
        .filter(([resource, steps]) => steps.length > 0 && !open.has(resource)),
    );
  return {
    promised: stepsIn(preview, /^ +\d+\. (\S.*?)(?: {2,}.*)?$/),
    ran: stepsIn(update, /^ +\d+\/\d+ (\S.*) · /),
  };
}

const blocksIn = (output: string): (readonly [string, readonly string[]])[] =>
  diagnosticsIn(output).map((block) => {
    const [resource = "", ...lines] = block.split("\n");
    return [resource.trim(), lines];
  });

/** What was reported as an error, and under which resource. */
export const errorText = (output: string): string => diagnosticsIn(output).join("\n");

/** What a refresh found to be different: the plan of the next `up`, and every property that changed. */
export function refreshText(output: string): string {
  const body = output.split(/^Refreshing \([^)]*\):\n/m)[1] ?? output;
  const told = body.split(/^Resources:/m)[0] ?? "";
  const lines = told
    .split("\n")
    .filter((line) => /^\s*[~+-]{1,2} \S/.test(line) || /^(?! {4})\s*\S/.test(line))
    .filter((line) => !line.startsWith("  pulumi:pulumi:Stack"));
  return [...lines, "", ...totalsIn(body)].join("\n");
}

/** Blocks of the last `Diagnostics:`, one for each resource, in an order that does not depend on who was quicker. */
function diagnosticsIn(output: string): string[] {
  const section = output.split(/^Diagnostics:\n/m).at(-1);
  if (section === undefined || section === output) return [];
  const [text = ""] = section.split(/^(?=\S)/m); // the next heading stands at the margin
  return text
    .trimEnd()
    .split(/^(?= {2}\S)/m)
    .map((block) => block.trimEnd())
    .sort();
}

const totalsIn = (output: string): string[] => {
  const totals = output.split(/^Resources:\n/m).at(-1) ?? "";
  const [lines = ""] = totals.split("\n\n");
  return totals === output
    ? []
    : lines
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "");
};

/** Takes out what differs between two labs, two runs and two machines. */
export function normalise(text: string, lab: Lab, place: Place): string {
  let plain = text;
  for (const host of lab.hosts.values()) {
    plain = plain.replaceAll(new RegExp(`${host.address.replaceAll(".", "\\.")}(?!\\d)`, "g"), `<${host.name}>`);
    plain = plain.replaceAll(host.hostKeyFingerprint, `<host key of ${host.name}>`);
  }
  return (
    plain
      .replaceAll(lab.network.replace(/\d+\/24$/, ""), "<lab>.")
      .replaceAll(new RegExp(`\\b${String(place.port)}\\b`, "g"), "<port>")
      // Remarks stand in a column; how far behind an address depends on its length.
      .replaceAll(/(<\w+>:\d+) {2,}(?=! )/g, "$1  ")
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<uuid>")
      .replaceAll(/<uuid>(?::\d+(?:-\d+)?)+/g, "<gtids>")
      .replaceAll(/<gtids>(?:,\s*<gtids>)+/g, "<gtids>")
      .replaceAll(/\b[a-z0-9-]*bin(?:log)?\.\d{6}\b/g, "<binary log>")
      .replaceAll(/\b\d+(?:\.\d+)? m?s\b/g, "<time>")
      .replaceAll(/\(process \d+\)|\bprocess \d+\b/g, "process <pid>")
      .replaceAll(/[ \t]+$/gm, "")
      .replaceAll(/(\S) {2,}/g, "$1  ") // columns, as wide as the lab's addresses are long
      .replaceAll(/\n{3,}/g, "\n\n")
      .trim()
  );
}
