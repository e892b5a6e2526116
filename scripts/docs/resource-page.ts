import { join } from "node:path";
import { renderPlan } from "../../provider/plan/render";
import type { Plan } from "../../provider/plan/plan";
import { complete } from "../../provider/pulumi/border";
import type { AnyRoom } from "../../provider/room";
import { describeFields } from "../../provider/schema/describe";
import { readClassComment } from "./class-comment";
import { isFilledIn, renderFields } from "./fields-table";
import { renderCaution, renderCode, renderNumbered, renderPage, renderTable } from "./markdown";
import type { RoomText } from "./rooms";

/** One resource: what it is, an example, its fields, what it needs, what its removal removes, what people see. */
export function renderResourcePage(root: string, room: AnyRoom, text: RoomText): string {
  const { intro, examples } = readClassComment(join(root, "resources", text.folder, "index.ts"));
  const [first, ...others] = examples;
  const fields = describeFields(room.schema.declaration);
  const filledIn = fields.filter(isFilledIn).map(({ path }) => path);
  const written = fields.filter(({ path }) => !filledIn.some((name) => path === name || path.startsWith(`${name}.`)));
  return renderPage(`resources/${text.folder}/`, [
    `# ${text.kind}`,
    intro,
    ...(first === undefined ? [] : ["## The smallest example", renderCode("ts", first.code)]),
    ...others.flatMap(({ title, code }) => [title, renderCode("ts", code)]),
    "## Fields",
    "A change is made in place unless the last column says otherwise. The preview says what a change interrupts.",
    renderFields(written),
    "## Outputs",
    renderTable(
      ["output", "meaning"],
      [
        ...Object.entries(room.schema.outputs).map(([name, meaning]) => [`\`${name}\``, meaning]),
        ...fields
          .filter((field) => isFilledIn(field) && !field.path.includes("."))
          .map(({ path, meaning }) => [`\`${path}\``, meaning.replace("Filled in: ", "Known in previews: ")]),
      ],
    ),
    "## Requirements",
    "In the order in which they are checked. The first that is not met is reported as an error, with what was found, what is needed and what to do.",
    renderNumbered(text.requirements.map(({ needs, code }) => `${needs} [${code}](../errors.md#${anchorOf(code)})`)),
    ...(text.recipes ?? []).flatMap((recipe) => [`## ${recipe.title}`, recipe.text]),
    "## What destroy removes",
    renderCaution(text.removes),
    "## Texts you may see",
    "The preview of a new resource:",
    renderCode("text", previewOf(room, text.sample)),
  ]);
}

export const anchorOf = (code: string): string => code.toLowerCase();

/** What `pulumi preview` prints under the resource: the same functions make it here and there. */
function previewOf(room: AnyRoom, sample: Readonly<Record<string, unknown>>): string {
  const name = "orders";
  const { inputs, problems } = complete(room, { declared: sample, urn: `urn:pulumi:dev::shop::type::${name}`, name });
  if (problems.length > 0) throw new Error(`the sample of ${room.kind} is not valid: ${problems.join("; ")}`);
  const object = room.object(inputs, name);
  const seen = { settled: room.blank as object, live: null };
  const identity = { kind: room.kind, name: `shop/dev/${name}`, seal: null };
  const plan = room.plan(inputs, seen, { identity, before: null, object }) as Plan;
  return renderPlan(object, plan, room.say);
}
