import type { FieldFacts } from "../../provider/schema/describe";
import { renderTable } from "./markdown";

/** One row a field. `Filled in` fields are computed by `check`; a program leaves them alone. */
export function renderFields(fields: readonly FieldFacts[]): string {
  const rows = fields.map((field) => [
    `\`${field.path}\`${isRequired(field) ? " *" : ""}`,
    typeCell(field),
    field.default === null ? "" : `\`${field.default}\``,
    meaningCell(field),
    changeCell(field),
  ]);
  const table = renderTable(["field", "type", "default", "meaning", "a change"], rows);
  return fields.some(isRequired) ? `${table}\n\n\\* required if its parent is declared.` : table;
}

/** What `check` can fill in says where from. */
const isRequired = (field: FieldFacts): boolean =>
  !field.mayBeLeftOut && !isFilledIn(field) && !field.meaning.includes("Default: ");

export const isFilledIn = ({ meaning }: FieldFacts): boolean => meaning.startsWith("Filled in: ");

const changeWords: Readonly<Record<string, string>> = {
  "next seeding": "acts at the next seeding (`reseed`)",
  restarts: "in place, restarts the server",
  interrupts: "in place, rows stop for a moment",
  "new object": "**replaces**: the old object is removed first",
};

const changeCell = ({ change, unlessSame }: FieldFacts): string =>
  `${unlessSame === null ? "" : `in place while \`${unlessSame}\` stays; else `}${changeWords[change] ?? change}`;

function typeCell({ type, page, range, unit, isSecret }: FieldFacts): string {
  const words = page === null ? type : `[${type}](${page})`;
  const details = [
    ...(unit === null ? [] : [unit]),
    ...(range === null ? [] : [range]),
    ...(isSecret ? ["secret"] : []),
  ];
  return [words, ...details].join(", ");
}

/** The source of a default or a range stands with the meaning, as the last words. */
function meaningCell({ meaning, source, default: value, range }: FieldFacts): string {
  if (source === null) return meaning;
  const of = value === null && range !== null && !/default/i.test(meaning) ? "The range" : "The default";
  return `${meaning} ${of}: ${source}.`;
}
