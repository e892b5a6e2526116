import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import type { LabHost } from "../../lab/index.ts";
import type { Program, Ran } from "./program";
import { runScript, type Place } from "./scenario-lab";

const everyMillis = 400; // a process with a secret in its words that lives shorter is one nobody else would catch either

/** Looks for secrets where they must never be: texts, process lists, state, and files that others may read. */
export class SecretWatch {
  readonly #findings = new Set<string>();
  /** Command lines that were looked at: the environment of a process changes only with them, by exec. */
  #seen: ReadonlyMap<string, string> = new Map();
  #outputs = "";

  constructor(private readonly secrets: readonly string[]) {}

  /** Looks at every process of this machine, lab hosts included, while the work goes on. */
  async during(work: () => Promise<Ran>): Promise<Ran> {
    const timer = setInterval(() => {
      this.#lookAtProcesses();
    }, everyMillis);
    try {
      const ran = await work();
      this.#outputs += ran.output;
      return ran;
    } finally {
      clearInterval(timer);
    }
  }

  note(text: string): void {
    this.#outputs += text;
  }

  async expectNone(program: Pick<Program, "directory" | "backend">, staging: LabHost, place: Place): Promise<void> {
    this.#lookAtProcesses();
    if (this.#reveals(this.#outputs)) this.#findings.add("what the CLI printed");
    for (const file of filesBelow(program.backend))
      if (this.#reveals(readFileSync(file, "latin1"))) this.#findings.add(path.relative(program.directory, file));
    for (const file of await this.#openFiles(staging, place)) this.#findings.add(`${file} on the staging host`);
    expect([...this.#findings]).toEqual([]);
  }

  /** Data of the server itself is left out: a channel's password lies in a table of MySQL's. */
  async #openFiles(staging: LabHost, place: Place): Promise<string[]> {
    const patterns = `${this.secrets.join("\n")}\n`;
    const found = await runScript(
      staging,
      `patterns=$(mktemp -p /run); cat >"$patterns" <<'END'\n${patterns}END
       find "$DIRECTORY" /tmp /run /etc /home /root /var/log /var/tmp -xdev -type f -perm /077 \\
         -not -path "$DIRECTORY/data/*" -exec grep -lFf "$patterns" {} + 2>/dev/null || :
       rm "$patterns"`,
      place,
    );
    return found.split("\n").filter((line) => line !== "");
  }

  #reveals(text: string): boolean {
    return this.secrets.some((secret) => text.includes(secret));
  }

  #lookAtProcesses(): void {
    const ours = readlinkSync("/proc/self/ns/pid");
    const seen = new Map<string, string>();
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "latin1");
        seen.set(pid, words);
        if (this.#seen.get(pid) === words) continue;
        const name = words.split("\0")[0] ?? pid;
        if (this.#reveals(words)) this.#findings.add(`the command line of ${name}`);
        // The environments of Pulumi's own processes on this machine hold the program's configuration.
        if (readlinkSync(`/proc/${pid}/ns/pid`) === ours) continue;
        if (this.#reveals(readFileSync(`/proc/${pid}/environ`, "latin1")))
          this.#findings.add(`the environment of ${name}`);
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    }
    this.#seen = seen;
  }
}

const goneCodes = new Set(["ENOENT", "ESRCH", "EACCES"]);
/** Not instanceof Error: errors of Node's own modules are of another realm under jest. */
const isGone = (error: unknown): boolean => goneCodes.has((error as NodeJS.ErrnoException).code ?? "");

const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
