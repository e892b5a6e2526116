import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

const folder = path.resolve(__dirname, "..", "golden");

/**
 * A text people see, compared with the file of that name in test/golden, which the documentation embeds too.
 * `GOLDEN=accept` writes the files anew; the difference is then reviewed like code.
 */
export function expectGolden(name: string, text: string): void {
  const file = path.join(folder, name);
  if (process.env["GOLDEN"] === "accept") writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, "utf8"));
}
