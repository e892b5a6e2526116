// npm run quickstart, npm run quickstart:down. See README.md.
import { down } from "./quickstart/down";
import { up } from "./quickstart/up";

async function main(what: string | undefined): Promise<void> {
  if (what === "down") await down();
  else await up();
}

main(process.argv[2]).then(
  () => process.exit(process.exitCode ?? 0),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
