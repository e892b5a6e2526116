import type { Host } from "../../provider/host/host";
import { sh } from "../../provider/host/command";

/** One recipe of an error's `fix`, as it stands there: where it is typed, and what. */
export interface Typed {
  readonly command: string;
  readonly statements: string;
}

/** The recipe `(a)`, `(b)`...; without a letter that of an error that has a single one. */
export function recipeOf(text: string, letter?: string): Typed {
  const lines = text.split("\n").map((line) => line.trim());
  const at = letter === undefined ? 0 : lines.findIndex((line) => line.startsWith(`(${letter}) `));
  const statements = lines.slice(at + 1).find((line) => line.endsWith(";")) ?? "";
  const command = /on the replica: .*`(mysql [^`]*)`/.exec(text)?.[1] ?? "";
  if (at < 0 || statements === "" || command === "") throw new Error(`no recipe (${letter ?? ""}) in:\n${text}`);
  return { command, statements };
}

/** Types it on the replica's machine, with each <placeholder> filled in, and stops at the first error as a person would. */
export async function type(
  host: Host,
  { command, statements }: Typed,
  fill: Record<string, string> = {},
): Promise<void> {
  const filled = Object.entries(fill).reduce((sofar, [key, value]) => sofar.replace(`<${key}>`, value), statements);
  if (/<[a-z]/.test(filled)) throw new Error(`a placeholder is left: ${filled}`);
  await host.run(sh`sh -c ${command}`, { stdin: filled });
}
