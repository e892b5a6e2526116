import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { brokenRules, rules, type Import } from "../../scripts/import-rules.cjs";
import { findCycles, graphOf, listSources, reachableFrom, readImports } from "../../scripts/imports";

const root = resolve(__dirname, "..", "..");
const shipped = ["resources", "provider", "commands"];
const files = listSources(root, [...shipped, "lab", "scripts", "bench", "examples", "test"]);
const imports = files.flatMap((file) => readImports(root, file));
const loaded = graphOf(
  files,
  imports.filter((one) => !one.isType),
);
const text = (file: string) => readFileSync(resolve(root, file), "utf8");
const isShipped = (file: string) => shipped.some((folder) => file.startsWith(`${folder}/`));
const isOurs = (target: string) => /^(resources|provider|commands|sync)\//.test(target);

/** The packages and Node modules that a file brings with it when it is loaded. */
const packagesOf = (file: string): readonly string[] => {
  const reached = reachableFrom(loaded, file);
  const targets = imports.filter((one) => reached.has(one.from) && !one.isType).map((one) => one.target);
  return [...new Set(targets.filter((target) => !isOurs(target)))].sort();
};

const rooms = [
  ...new Set(files.map((file) => /^resources\/([^/]+)\//.exec(file)?.[1]).filter((room) => room !== undefined)),
];

describe("imports", () => {
  test("every file keeps to the import rules", () => {
    const broken = imports.flatMap((one) => brokenRules(one).map((rule) => `${one.from} -> ${one.target}: ${rule}`));
    expect(broken).toEqual([]);
  });

  test("no file imports itself through others, not even for a type", () => {
    expect(findCycles(graphOf(files, imports))).toEqual([]);
  });

  /** They compute; they reach no file, no socket, no clock. The rest of a room or of a driver comes with none of them. */
  const pure = ["node:buffer", "node:crypto", "node:path", "node:util", "zod"];

  test("a user's program that declares resources loads no driver", () => {
    const loads = packagesOf("resources/index.ts");
    expect(loads).toContain("@pulumi/pulumi");
    expect(loads.filter((name) => name !== "@pulumi/pulumi" && !pure.includes(name))).toEqual([]);
  });

  test.each(rooms)("schema and plan of %s bring nothing that could reach a file, a socket, or a clock", (room) => {
    const loads = [...packagesOf(`resources/${room}/schema.ts`), ...packagesOf(`resources/${room}/plan.ts`)];
    expect(loads).toContain("zod");
    expect(loads.filter((name) => !pure.includes(name))).toEqual([]);
  });

  test("what npm publishes needs only what its package.json asks for", () => {
    const manifest = JSON.parse(text("package.json")) as Record<"dependencies" | "peerDependencies", object>;
    const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    const packageOf = (target: string) => target.split("/", target.startsWith("@") ? 2 : 1).join("/");
    const foreign = imports.filter(
      (one) => isShipped(one.from) && !isOurs(one.target) && !one.target.startsWith("node:"),
    );
    const undeclared = foreign.filter((one) => !declared.includes(packageOf(one.target)));
    expect(undeclared.map((one) => `${one.from} -> ${one.target}`)).toEqual([]);
  });
});

describe("the import rules themselves", () => {
  const one = (from: string, target: string, more: Partial<Import> = {}): Import => ({
    from,
    target,
    isType: false,
    names: [],
    ...more,
  });
  const allowed: readonly Import[] = [
    one("provider/host/ssh/ssh.ts", "ssh2"),
    one("provider/mysql/client.ts", "mysql2/promise"),
    one("lab/run.ts", "execa"),
    one("resources/snapshot/schema.ts", "zod"),
    one("resources/snapshot/index.ts", "@pulumi/pulumi"),
    one("resources/snapshot/plan.ts", "resources/snapshot/observe", { isType: true }),
    one("resources/snapshot/steps.ts", "resources/snapshot/plan"),
    one("resources/snapshot/plan.ts", "resources/snapshot/facts"),
    one("resources/snapshot/plan.ts", "provider/parts/instance/plan"),
    one("provider/parts/instance/schema.ts", "zod"),
    one("resources/snapshot/observe.ts", "provider/host/host", { isType: true, names: ["HostReader"] }),
  ];
  const forbidden: readonly Import[] = [
    one("provider/host/job/job.ts", "ssh2"),
    one("provider/host/job/job.ts", "ssh2", { isType: true }),
    one("resources/snapshot/steps.ts", "mysql2/promise"),
    one("provider/mysql/client.ts", "execa"),
    one("provider/room.ts", "zod"),
    one("provider/lifecycle.ts", "@pulumi/pulumi"),
    one("provider/lifecycle.ts", "resources/rooms", { isType: true }),
    one("provider/lifecycle.ts", "test/harness/lab"),
    one("resources/snapshot/plan.ts", "resources/sync-task/plan"),
    one("resources/snapshot/plan.ts", "node:fs"),
    one("resources/snapshot/facts.ts", "resources/snapshot/observe"),
    one("provider/parts/instance/plan.ts", "provider/parts/volume/plan"),
    one("provider/lifecycle.ts", "provider/parts/instance/facts"),
    one("resources/snapshot/plan.ts", "resources/snapshot/observe"),
    one("resources/snapshot/plan.ts", "resources/snapshot/steps", { isType: true }),
    one("resources/snapshot/index.ts", "provider/lifecycle"),
    one("resources/snapshot/schema.ts", "node:fs"),
    one("resources/snapshot/observe.ts", "provider/host/host", { isType: true, names: ["Host"] }),
  ];

  test.each(allowed)("$from may import $target", (example) => {
    expect(brokenRules(example)).toEqual([]);
  });

  test.each(forbidden)("$from may not import $target", (example) => {
    expect(brokenRules(example)).not.toEqual([]);
  });

  test("every rule has an example that breaks it", () => {
    const unproven = rules.filter((rule) => !forbidden.some((example) => rule.breaks(example)));
    expect(unproven.map((rule) => rule.what)).toEqual([]);
  });
});

describe("files", () => {
  test.each(rooms)("%s is a room of six files", (room) => {
    const parts = files.filter((file) => file.startsWith(`resources/${room}/`)).map((file) => basename(file, ".ts"));
    expect(parts).toEqual(["facts", "index", "observe", "plan", "schema", "steps"]);
  });

  test("no file is longer than 400 lines, a test 600: beyond that it holds two things", () => {
    const limit = (file: string) => (file.endsWith(".test.ts") ? 600 : 400);
    const sizes = files.map((file) => ({ file, lines: text(file).split("\n").length - 1 }));
    expect(sizes.filter(({ file, lines }) => lines > limit(file))).toEqual([]);
  });

  test("names are kebab-case and say what is inside", () => {
    const parts = (file: string) => file.replace(/(\.test)?\.ts$/, "").split("/");
    const kebab = /^[a-z0-9]+(-[a-z0-9]+)*$/;
    const empty = /^(common|helpers?|managers?|misc|shared|utils?|utilities)$/;
    const isWrong = (part: string) => !kebab.test(part) || part.split("-").some((word) => empty.test(word));
    expect(files.filter((file) => parts(file).some(isWrong))).toEqual([]);
  });

  test("no function is named by a word that fits every function", () => {
    const vague = /\b(?:function|const|async)\s+((?:handle|manage)[A-Z]\w*)\s*[=(<:]/g;
    const found = files.flatMap((file) => [...text(file).matchAll(vague)].map((match) => `${file}: ${match[1] ?? ""}`));
    expect(found).toEqual([]);
  });

  test("the old words for source and replica are said only as MySQL's own names, in quotes", () => {
    const homes = ["provider/mysql/terms.ts", "provider/mysql/capabilities.ts"];
    const unquoted = (file: string) => text(file).replace(/"[^"\n]*"|`[^`]*`/g, "");
    const old = files.filter(
      (file) => isShipped(file) && !homes.includes(file) && /master|slave/i.test(unquoted(file)),
    );
    expect(old).toEqual([]);
  });
});
