#!/usr/bin/env node
import "./require-node";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { wordsOf } from "../provider/errors";
import { closeHosts } from "../provider/host/pool";
import { parseArguments, usage } from "./arguments";
import { status } from "./status";

const plainColumns = 100; // for pipes and files, which have no width of their own

async function main(words: readonly string[]): Promise<number> {
  const order = parseArguments(words);
  switch (order.command) {
    case "help":
      process.stdout.write(usage);
      return 0;
    case "version":
      process.stdout.write(`${version()}\n`);
      return 0;
    case "status": {
      const answer = await status(order, process.stdout.columns ?? plainColumns);
      process.stdout.write(answer.text);
      return answer.isWell ? 0 : 1;
    }
  }
}

function version(): string {
  const file = createRequire(__filename).resolve("pulumi-sluice/package.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

void main(process.argv.slice(2))
  .catch((error: unknown) => {
    process.stderr.write(`${wordsOf(error)}\n`);
    return 1;
  })
  .then(async (exitCode) => {
    await closeHosts();
    process.exitCode = exitCode;
  });
