// npm run docs [-- --check]: writes the generated pages, or fails where one is stale.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { rooms } from "../resources/rooms";
import { renderPages } from "./docs/pages";

const root = resolve(__dirname, "..");

export function main(args: readonly string[]): number {
  const checks = args.includes("--check");
  const stale = [...renderPages(root, rooms)].filter(([path, text]) => {
    const file = join(root, path);
    return !existsSync(file) || readFileSync(file, "utf8") !== text;
  });
  for (const [path, text] of stale) {
    if (checks) {
      console.error(`${path} is stale; run \`npm run docs\``);
      continue;
    }
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(`wrote ${path}`);
  }
  return checks && stale.length > 0 ? 1 : 0;
}

if (require.main === module) process.exitCode = main(process.argv.slice(2));
