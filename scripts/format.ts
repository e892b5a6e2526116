// npm run format [-- FILE...]: prettier over the code.
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";

/** Code and its settings; documents are written by hand, or by scripts/docs.ts. */
export const formattedFiles = "**/*.{ts,mjs,cjs,json}";

if (require.main === module) {
  const root = resolve(__dirname, "..");
  const prettier = join(root, "node_modules", "prettier", "bin", "prettier.cjs");
  const files = process.argv.slice(2);
  const args = [prettier, "--write", "--log-level", "warn", ...(files.length === 0 ? [formattedFiles] : files)];
  process.exitCode = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" }).status ?? 1;
}
