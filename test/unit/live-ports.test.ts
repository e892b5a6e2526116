import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

// Files of the live floor run side by side on one staging host: each has its own ten ports. 3600 to 3609 belong to no file: they are seconds of an hour.
test("no two live test files start servers on the same ports", () => {
  const folder = join(__dirname, "..", "live");
  const users = new Map<string, string>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".test.ts"))) {
    const text = readFileSync(join(folder, file), "utf8");
    for (const [, ten = ""] of text.matchAll(/(?<![\d.])(3(?!60)[4-9]\d)\d(?!\d)/g)) {
      expect({ ten: `${ten}0`, file: users.get(ten) ?? file }).toEqual({ ten: `${ten}0`, file });
      users.set(ten, file);
    }
  }
  expect(users.size).toBeGreaterThan(5);
});
