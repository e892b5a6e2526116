import type { Report } from "../report";
import { sayUnknowns } from "../schema/unknown";
import { saying, type Difference, type Plan, type Sayings, type Step, type Words } from "./plan";

const whatColumns = 44; // wide enough for most steps; a longer one moves only its own remark

/** The plan as a DBA reads it: numbered steps, the reason for each, and what it interrupts. */
export function renderPlan<S extends Step>(object: string, plan: Plan<S>, sayings: Sayings<S>): string {
  const words = plan.steps.map((step) => saying(sayings, step));
  const title = `${object}: ${count(words.length, "step")}`;
  return sayUnknowns([title, ...words.flatMap((step, index) => renderStep(step, index + 1, words.length))].join("\n"));
}

function renderStep(words: Words, number: number, of: number): string[] {
  const lead = `${String(number).padStart(String(of).length)}. `;
  const remarks = [
    ...(words.interrupts === undefined ? [] : [`! ${words.interrupts}`]),
    ...(words.because ?? []).map(renderDifference),
  ];
  const what = `  ${lead}${words.what}`;
  const [first, ...rest] = remarks;
  if (first === undefined) return [what];
  const indent = " ".repeat(whatColumns);
  return [`${what.padEnd(whatColumns)}  ${first}`, ...rest.map((remark) => `${indent}  ${remark}`)];
}

export const renderDifference = ({ property, from, to }: Difference): string =>
  from === "" ? `${property} ${to}` : `${property} ${from} → ${to}`;

export const count = (n: number, noun: string): string => `${String(n)} ${noun}${n === 1 ? "" : "s"}`;

/** Prints the plan, and at debug level its statements. */
export function reportPlan<S extends Step>(report: Report, object: string, plan: Plan<S>, sayings: Sayings<S>): void {
  if (plan.steps.length === 0) return;
  report.say(renderPlan(object, plan, sayings));
  const statements = plan.steps.flatMap((step) => saying(sayings, step).sql ?? []);
  if (statements.length > 0) report.debug([`${object}: statements`, ...statements.map((sql) => `  ${sql}`)].join("\n"));
}
