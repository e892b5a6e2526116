import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";
import path from "node:path";
import { linkFileRoom } from "../harness/file-program";
import { openProgram, type Program } from "../harness/program";

/** The part of a stack's life that is the same for every resource, with the room of files: the real CLI, no lab. */
const password = "hunter2-of-the-e2e-test";
const opened: Program[] = [];

async function openFiles(
  name: string,
): Promise<Program & { declare(files: Record<string, object>): Promise<void>; place(of: string): string }> {
  const program = await openProgram(name, path.join(__dirname, "file-program"));
  opened.push(program);
  await linkFileRoom(program.directory);
  await writeFile(program);
  await program.set("password", password, "secret");
  const place = (of: string) => path.join(program.directory, "places", of);
  const declare = (files: Record<string, object>) => program.set("files", JSON.stringify(files));
  return { ...program, declare, place };
}

/** A program in plain JavaScript needs no compiler. */
const writeFile = async ({ directory }: Program): Promise<void> =>
  writeFileSync(
    path.join(directory, "Pulumi.yaml"),
    `name: ${path.basename(directory)}\nruntime:\n  name: nodejs\n  options: { typescript: false }\n`,
  );

afterAll(async () => {
  for (const program of opened) await program.remove();
});

/** Resolves when the process has printed what fits; rejects when it ends without. */
function listenTo(child: ChildProcess): (pattern: RegExp) => Promise<void> {
  let output = "";
  const looks = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      for (const look of [...looks]) look();
    });
  return (pattern) =>
    new Promise((resolve, reject) => {
      const look = () => {
        if (!pattern.test(output)) return;
        looks.delete(look);
        resolve();
      };
      looks.add(look);
      child.once("close", () => reject(new Error(`it ended without ${String(pattern)}:\n${output}`)));
      look();
    });
}

/** The lines under a resource in the diagnostics, times cut out. */
function diagnosticsOf(output: string, resource: string): string {
  const start = output.lastIndexOf(`FileRoom (${resource}):\n`);
  if (start < 0) return "";
  const [block = ""] = output.slice(start).split("\n\n");
  const lines = block.split("\n").slice(1);
  return lines.map((line) => line.replace(/^ {4}/, "").replace(/· \d+\.\d s/, "· T s")).join("\n");
}

const resourcesOf = async (program: Program) =>
  (await program.export()).resources.filter(({ type }) => type.endsWith("FileRoom"));

/** Processes that work in the program's folder, by their command lines. */
async function processesIn(directory: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
      return cwd === directory
        ? (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ")
        : "";
    }),
  );
  return found.filter((line) => line !== "");
}

async function awaitNoProvider(directory: string, withinSeconds: number): Promise<void> {
  const endsAt = performance.now() + withinSeconds * 1000;
  for (;;) {
    const left = (await processesIn(directory)).filter((line) => line.includes("dynamic-provider"));
    if (left.length === 0) return;
    if (performance.now() > endsAt) throw new Error(`still there after ${String(withinSeconds)} s: ${left.join("; ")}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe("a stack's life", () => {
  let program: Awaited<ReturnType<typeof openFiles>>;

  beforeAll(async () => {
    program = await openFiles("adapter-life");
  });

  test("preview prints the plan under its resource and changes nothing", async () => {
    await program.declare({ one: { directory: program.place("one") } });
    const { code, output } = await program.run(["preview", "--save-plan", "plan.json"]);
    expect({ code, plan: diagnosticsOf(output, "one") }).toEqual({
      code: 0,
      plan: [
        "files one@local: 5 steps",
        "  1. claim the directory",
        "  2. add part 1",
        "  3. add part 2",
        "  4. write the text                           ! nobody can read it meanwhile",
        "                                              text nothing → hello",
        "  5. set the password                         password changed",
      ].join("\n"),
    });
    expect(existsSync(program.place("one"))).toBe(false);
  });

  test("up does what a reviewed preview promised, with progress on the resource's row and no plan again", async () => {
    const { code, output } = await program.run(["up", "--yes", "--plan", "plan.json"]);
    expect({ code, steps: diagnosticsOf(output, "one") }).toEqual({
      code: 0,
      steps: [
        "1/5 claim the directory · T s",
        "2/5 add part 1 · T s",
        "3/5 add part 2 · T s",
        "4/5 write the text · T s",
        "5/5 set the password · T s",
      ].join("\n"),
    });
    // Beside each step's own line the first progress, the last, and one a second: all seven would fill a log.
    const progress = output.match(/creating \(\d+s\) (?!\d\/5)\S.*$/gm) ?? [];
    const seconds = Number(/FileRoom one created \(([\d.]+)s\)/.exec(output)?.[1]);
    expect(progress.length).toBeLessThanOrEqual(2 + seconds);
    expect(progress.at(-1)).toMatch(/ as declared$/);
    expect(output).toMatch(/FileRoom one created \(.*\) as declared/);
  });

  test("a second up has nothing to do and says nothing", async () => {
    const { code, output } = await program.run(["up", "--yes", "--skip-preview", "--expect-no-changes"]);
    expect({ code, said: diagnosticsOf(output, "one") }).toEqual({ code: 0, said: "" });
  });

  test("no secret and nothing of this run alone lies in the state", async () => {
    const [one] = await resourcesOf(program);
    expect(one?.id).toBe(`local:${program.place("one")}`);
    expect(one?.outputs).toMatchObject({
      text: "hello",
      count: "2",
      __sluice: { stateVersion: 2, identity: { kind: "FileRoom", name: "adapter-life/test/one" } },
    });
    expect(one?.outputs?.["__provider"]).toBe(
      'exports.handler = () => require("pulumi-sluice/dynamic").provider("FileRoom");',
    );
    for (const bag of [one?.inputs, one?.outputs]) expect(bag).not.toHaveProperty("__preview");
    const files = await readdir(program.backend, { recursive: true, withFileTypes: true });
    const texts = files
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), "utf8"));
    expect(texts.length).toBeGreaterThan(3);
    expect(texts.join("\n")).not.toContain(password);
  });

  test("refresh shows what was changed by hand, and what the next up would do", async () => {
    writeFileSync(`${program.place("one")}/text`, "changed by hand");
    const { code, output } = await program.run(["refresh", "--yes", "--skip-preview", "--diff"]);
    expect(code).toBe(0);
    expect(output).toMatch(/~ text +: "hello" => "changed by hand"/);
    expect(output).toContain("files one@local, at the next `pulumi up`: 1 step");
    expect(output).toContain("text changed by hand → hello");
  });

  test("a preview of another identity says so once: what goes, what comes, and what hangs on it", async () => {
    await program.declare({
      one: { directory: program.place("one-moved") },
      two: { directory: program.place("two"), after: "one" },
    });
    const { code, output } = await program.run(["preview"]);
    expect(code).toBe(0);
    const text = diagnosticsOf(output, "one");
    expect(text).toMatch(
      /^files one@local is replaced \(removed, then created again\), because directory changes: 1 step\n {2}1\. remove /,
    );
    expect(text).toContain("files one-moved@local: 5 steps\n");
    expect(diagnosticsOf(output, "two").match(/5 steps/g)).toHaveLength(1);
  });

  test("bad input is one sentence under its resource, and shows no value", async () => {
    await program.declare({ one: { directory: program.place("one"), prats: password } });
    const { code, output } = await program.run(["preview"]);
    expect(code).not.toBe(0);
    expect(output).toContain("resource 'one' has a problem: has no property prats; did you mean parts?");
    expect(output).not.toContain(password);
  });

  test("a failure half-way stays known: its error stands alone, and the next up continues", async () => {
    await program.declare({ one: { directory: program.place("one"), parts: 3, text: "new", failure: "expected" } });
    const failed = await program.run(["up", "--yes", "--skip-preview"]);
    expect(failed.code).not.toBe(0);
    expect(failed.output).toContain("files one@local: cannot write the text, the pen is dry (COMMAND_FAILED)");
    expect(failed.output).not.toMatch(/^\s+at .*\.js/m);
    await program.declare({ one: { directory: program.place("one"), parts: 3, text: "new" } });
    const { code, output } = await program.run(["up", "--yes", "--skip-preview"]);
    expect({ code, steps: diagnosticsOf(output, "one") }).toEqual({ code: 0, steps: "1/1 write the text · T s" });
    expect(readFileSync(`${program.place("one")}/part-3`, "utf8")).toBe("3\n");
  });

  test("a renamed resource keeps its object when the program says what it was called", async () => {
    await program.declare({
      other: { directory: program.place("one"), parts: 3, text: "new", options: { aliases: [{ name: "one" }] } },
    });
    const { code, output } = await program.run(["up", "--yes", "--skip-preview"]);
    expect({ code, steps: diagnosticsOf(output, "other") }).toEqual({ code: 0, steps: "" });
    expect((await resourcesOf(program)).map(({ outputs }) => outputs?.["__sluice"])).toMatchObject([
      { identity: { kind: "FileRoom", name: "adapter-life/test/one" } },
    ]);
  });

  // Why a preview of destroy shows no plan (docs/decisions/0018).
  test("a preview of destroy asks the provider nothing, so it can print no plan, and --diff shows what goes", async () => {
    const calls = async (...words: string[]) => {
      const { output } = await program.run([...words, "--logtostderr", "-v=9"]);
      return [...output.matchAll(/\bProvider\[[^\]]*\]\.(Check|Diff|Read|Create|Update|Delete)\(/g)].map(
        ([, call]) => call,
      );
    };
    expect(await calls("preview")).toContain("Check"); // so that none below means none
    expect(await calls("destroy", "--preview-only")).toEqual([]);
    expect(await calls("destroy", "--preview-only", "--run-program")).toEqual([]);
    const { output } = await program.run(["destroy", "--preview-only", "--diff"]);
    expect(output).toMatch(/FileRoom: \(delete\)\n +\[id=local:/);
  });

  test("destroy removes it, and a second one has nothing to do", async () => {
    const first = await program.run(["destroy", "--yes", "--skip-preview"]);
    expect(first.code).toBe(0);
    expect(existsSync(program.place("one"))).toBe(false);
    expect((await program.run(["destroy", "--yes", "--skip-preview"])).code).toBe(0);
  });
});

describe("components", () => {
  test.each([false, true])(
    "of any depth hold resources that need each other (a provider of their own: %s)",
    async (ownProvider) => {
      const program = await openFiles(`adapter-components-${String(ownProvider)}`);
      await program.set("ownProvider", String(ownProvider));
      await program.declare({
        one: { directory: program.place("one"), within: "shop" },
        two: { directory: program.place("two"), within: "shop", after: "one" },
        three: { directory: program.place("three"), within: "shop/till/drawer", after: "two" },
        four: { directory: program.place("four"), within: "shop/till/drawer", waitsFor: "three" },
        five: { directory: program.place("five"), within: "outlet", waitsFor: "shop" },
      });
      const { code, output } = await program.run(["preview"]);
      expect({ code, lines: diagnosticsOf(output, "four").split("\n")[0] }).toEqual({
        code: 0,
        lines: "files four@local: 5 steps",
      });
      expect((await program.run(["up", "--yes", "--skip-preview"])).code).toBe(0);
      const [state] = (await resourcesOf(program)).filter(({ urn }) => urn.endsWith("::four"));
      expect(state?.urn).toMatch(/test:index:Group\$test:index:Group\$test:index:Group\$.*FileRoom::four$/);
      expect(state?.outputs?.["__urn"]).toBe(state?.urn);
      expect((await program.run(["up", "--yes", "--skip-preview", "--expect-no-changes"])).code).toBe(0);
      expect((await program.run(["destroy", "--yes", "--skip-preview"])).code).toBe(0);
    },
  );
});

describe("a run that is ended while a create is at work", () => {
  /** A create that waits for its gate at the second step. */
  async function startSlowly(name: string) {
    const program = await openFiles(name);
    const gate = path.join(program.directory, "gate");
    await program.declare({ one: { directory: program.place("one"), gate } });
    const run = program.start(["up", "--yes", "--skip-preview"]);
    const says = listenTo(run.child);
    await says(/creating \(\d+s\) \[2\/5\] add part 1: the gate is closed/);
    return { program, ...run, says, open: () => writeFileSync(gate, "") };
  }

  const finished = (program: Awaited<ReturnType<typeof openFiles>>) => {
    for (const part of ["1", "2"])
      expect(readFileSync(`${program.place("one")}/part-${part}`, "utf8")).toBe(`${part}\n`);
    expect(readFileSync(`${program.place("one")}/text`, "utf8")).toBe("hello");
  };

  test("by kill -9: the orphaned provider stops, and after `pulumi cancel` up continues, nothing done twice", async () => {
    const { program, child, ended, open } = await startSlowly("adapter-killed");
    child.kill("SIGKILL");
    await ended;
    await awaitNoProvider(program.directory, 5);
    open();
    expect(existsSync(`${program.place("one")}/part-1`)).toBe(false);
    const locked = await program.run(["up", "--yes", "--skip-preview"]);
    expect(locked.output).toMatch(/locked/);
    expect((await program.run(["cancel", "--yes"])).code).toBe(0);
    expect((await program.run(["up", "--yes", "--skip-preview"])).code).toBe(0);
    finished(program);
    expect((await program.run(["refresh", "--yes", "--skip-preview", "--clear-pending-creates"])).code).toBe(0);
    expect((await program.export()).pending_operations ?? []).toEqual([]);
  });

  test("by Ctrl-C once: the step's end is waited for, and the state knows the resource", async () => {
    const { program, child, ended, open } = await startSlowly("adapter-interrupted");
    process.kill(-(child.pid ?? 0), "SIGINT");
    open();
    await ended;
    finished(program);
    expect((await resourcesOf(program)).map(({ outputs }) => outputs?.["count"])).toEqual(["2"]);
    const { code, output } = await program.run(["up", "--yes", "--skip-preview"]);
    expect({ code, steps: diagnosticsOf(output, "one") }).toEqual({ code: 0, steps: "" });
  });

  test("by Ctrl-C twice: it stops at the next step, and up continues", async () => {
    const { program, child, ended, says, open } = await startSlowly("adapter-interrupted-twice");
    process.kill(-(child.pid ?? 0), "SIGINT");
    await says(/\^C received/);
    process.kill(-(child.pid ?? 0), "SIGINT");
    await ended;
    await awaitNoProvider(program.directory, 5);
    expect(existsSync(`${program.place("one")}/part-1`)).toBe(false);
    open();
    expect((await program.run(["up", "--yes", "--skip-preview"])).code).toBe(0);
    finished(program);
  });
});
