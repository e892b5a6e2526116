import { readFileSync } from "node:fs";

/** What the comment above a resource's class tells a reader of the program. */
export interface ClassComment {
  readonly intro: string;
  readonly examples: readonly { readonly title: string; readonly code: string }[];
}

/** The last comment before `export class`, without its stars. */
export function readClassComment(file: string): ClassComment {
  const source = readFileSync(file, "utf8");
  const end = source.indexOf("export class ");
  const start = source.lastIndexOf("/**", end);
  if (end < 0 || start < 0) throw new Error(`${file} has no class with a comment`);
  const text = source
    .slice(start, source.indexOf("*/", start))
    .split("\n")
    .slice(1)
    .map((line) => line.replace(/^\s*\* ?/, ""))
    .join("\n");
  const [intro = "", ...examples] = text.split("@example");
  return { intro: intro.trim(), examples: examples.map(parseExample) };
}

function parseExample(text: string): ClassComment["examples"][number] {
  const [title = "", ...lines] = text.split("\n");
  const code = lines.map((line) => line.replace(/^ {4}/, "")).join("\n");
  return { title: title.trim(), code: code.trim() };
}
