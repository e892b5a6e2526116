import ts from "typescript";

export interface Banned {
  readonly word: string;
  /** Phrases that hold the word and are allowed. */
  readonly allowedIn: readonly string[];
  /** What to write instead. */
  readonly write: string;
}

/** A piece of text, and the line of its file on which it begins. */
export interface Text {
  readonly line: number;
  readonly text: string;
}

export interface Finding {
  readonly line: number;
  readonly word: string;
  readonly write: string;
}

const listOf = (cell: string) => cell.split(", ").filter((word) => word !== "");

/** The rows of the table below the heading "Banned words" of docs/words.md. */
export function readBanned(page: string): readonly Banned[] {
  const rows = (page.split("\n## Banned words\n")[1] ?? page).split("\n").filter((line) => line.startsWith("| "));
  return rows.slice(1).flatMap((row) => {
    const [words = "", allowed = "", write = ""] = row
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim());
    return listOf(words).map((word) => ({ word, allowedIn: listOf(allowed), write }));
  });
}

/** String literals, the fixed parts of templates, and comments. Module names are not texts. */
export function textsOfTypeScript(source: string): readonly Text[] {
  const file = ts.createSourceFile("text.ts", source, ts.ScriptTarget.Latest, true);
  const found = new Map<number, Text>();
  const add = (start: number, text: string) =>
    found.set(start, { line: file.getLineAndCharacterOfPosition(start).line + 1, text });
  const visit = (node: ts.Node): void => {
    for (const comment of [
      ...(ts.getLeadingCommentRanges(source, node.getFullStart()) ?? []),
      ...(ts.getTrailingCommentRanges(source, node.getEnd()) ?? []),
    ])
      add(comment.pos, source.slice(comment.pos, comment.end));
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      const isModule = ts.isImportDeclaration(node.parent) || ts.isExportDeclaration(node.parent);
      if (!isModule) add(node.getStart(file), node.getText(file));
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return [...found.entries()].sort(([a], [b]) => a - b).map(([, text]) => text);
}

/** Between two words: spaces, or a line break with the beginning of a comment's next line. */
const gap = "(?:[ \\t]|\\n[ \\t]*(?:\\*|//|#|>)?)+";
const patternOf = (phrase: string) =>
  new RegExp(
    `(?<![\\w-])${phrase
      .split(" ")
      .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join(gap)}(?![\\w-])`,
    "gi",
  );

export function bannedIn(texts: readonly Text[], banned: readonly Banned[]): readonly Finding[] {
  const rules = banned.map((one) => ({
    ...one,
    pattern: patternOf(one.word),
    exceptions: one.allowedIn.map(patternOf),
  }));
  return texts.flatMap(({ line, text }) =>
    rules
      .flatMap(({ word, write, pattern, exceptions }) => {
        const spared = exceptions.flatMap((exception) => [...text.matchAll(exception)]);
        return [...text.matchAll(pattern)]
          .filter(
            (hit) =>
              !spared.some((one) => one.index <= hit.index && one.index + one[0].length >= hit.index + hit[0].length),
          )
          .map((hit) => ({ at: hit.index, line: line + text.slice(0, hit.index).split("\n").length - 1, word, write }));
      })
      .sort((a, b) => a.at - b.at)
      .map(({ line: at, word, write: better }) => ({ line: at, word, write: better })),
  );
}
