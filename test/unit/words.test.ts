import { readdirSync, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { bannedIn, readBanned, textsOfTypeScript, type Text } from "../harness/words";

const root = resolve(__dirname, "..", "..");
const read = (file: string) => readFileSync(resolve(root, file), "utf8");
const banned = readBanned(read("docs/words.md"));

/** Places where a banned word is right. Keep this short: another sentence is nearly always better. */
const allowed: readonly { readonly file: string; readonly word: string; readonly why: string }[] = [
  { file: "provider/mysql/instance/surroundings.ts", word: "nobody", why: "the unix user of that name" },
  { file: "provider/parts/instance/facts.ts", word: "marker", why: "the property's name in a state of version 1" },
];

function filesBelow(folder: string, ending: string): readonly string[] {
  return readdirSync(resolve(root, folder), { recursive: true, encoding: "utf8" })
    .map((name) => `${folder}/${name}`)
    .filter((name) => name.endsWith(ending) && statSync(resolve(root, name)).isFile())
    .sort();
}

const sources = ["provider", "resources", "commands", "lab", "bench", "scripts", "examples"].flatMap((folder) =>
  filesBelow(folder, ".ts"),
);
const documents = [
  ...["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "ROADMAP.md"],
  // The list itself.
  ...filesBelow("docs", ".md").filter((name) => name !== "docs/words.md"),
  ...["lab", "examples"].flatMap((folder) => filesBelow(folder, ".md")),
];

const findings = (file: string, texts: readonly Text[]) =>
  bannedIn(texts, banned)
    .filter(({ word }) => !allowed.some((one) => one.file === file && one.word === word))
    .map(({ line, word, write }) => `${file}:${String(line)}: "${word}": write ${write}`);

test("strings and comments hold no banned word", () => {
  expect(sources.flatMap((file) => findings(file, textsOfTypeScript(read(file))))).toEqual([]);
});

test("documents hold no banned word", () => {
  expect(documents.flatMap((file) => findings(file, [{ line: 1, text: read(file) }]))).toEqual([]);
});

test("every allowed place still needs its permission", () => {
  const unused = allowed.filter(({ file, word }) => {
    const texts = file.endsWith(".ts") ? textsOfTypeScript(read(file)) : [{ line: 1, text: read(file) }];
    return !bannedIn(texts, banned).some((one) => one.word === word);
  });
  expect(unused).toEqual([]);
});

describe("the search", () => {
  const table =
    '| banned | allowed in | write |\n|---|---|---|\n| is no, are no | there is no | "is not a" |\n| nobody | | "no user" |\n';
  const list = readBanned(`## Banned words\n\n${table}`);
  const search = (text: string) =>
    bannedIn([{ line: 1, text }], list).map(({ line, word }) => `${String(line)} ${word}`);

  test("finds whole words in any case, with the line, over a line break of a comment too", () => {
    expect(search("Nobody reads\n * it: a link is\n * no file")).toEqual(["1 nobody", "2 is no"]);
    expect(search("nobodyElse, is nothing, this no")).toEqual([]);
  });

  test("leaves a phrase alone that is allowed", () => {
    expect(search("there is no clone plugin")).toEqual([]);
  });

  test("looks into strings, templates and comments of TypeScript, and not at names", () => {
    const texts = textsOfTypeScript("/** Nobody. */\nconst nobody = `a ${isNo} nobody`; // are no\nf('is no');");
    expect(bannedIn(texts, list).map(({ line, word }) => `${String(line)} ${word}`)).toEqual([
      "1 nobody",
      "2 nobody",
      "2 are no",
      "3 is no",
    ]);
  });

  test("every banned word says what to write instead", () => {
    expect(banned.length).toBeGreaterThan(30);
    expect(banned.filter(({ write }) => write === "")).toEqual([]);
  });
});
