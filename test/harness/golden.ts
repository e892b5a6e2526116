import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { SluiceError } from "../../provider/errors";

const folder = path.resolve(__dirname, "..", "golden");

/**
 * A text people see, compared with the file of that name in test/golden, which the documentation embeds too.
 * `GOLDEN=accept` writes the files anew; the difference is then reviewed like code.
 */
export function expectGolden(name: string, text: string): void {
  const file = path.join(folder, name);
  const found = text.endsWith("\n") ? text : `${text}\n`;
  if (process.env["GOLDEN"] === "accept") {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, found);
  }
  expect(found).toBe(readFileSync(file, "utf8"));
}

/** What a user reads of the error that `act` throws; other errors fail the test. */
export function expectGoldenError(name: string, act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    expectGolden(`errors/${name}.txt`, error.message);
    return;
  }
  throw new Error("no error was thrown");
}
