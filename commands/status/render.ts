import { isUnseen, type Health, type ServerSeen } from "../../provider/status";
import type { LineNode, ServerNode, Topology } from "./topology";

/** One object: the left columns, and the words that follow them. */
interface Line {
  /** Indent and sign: `+` healthy, `-` not, none for a server that Sluice does not manage. */
  readonly lead: string;
  readonly label: string;
  readonly name: string;
  readonly facts: readonly string[];
  readonly health: Health | null;
}

const gap = "  ";
const narrowest = 32; // columns that words need next to the table; with fewer they go below

/** The tree, one line an object; only an object that is not healthy has a second line. Then one sentence. */
export function renderTopology({ roots, strangers, summary }: Topology, columns: number): string {
  const lines = [
    ...onceInFull(roots.flatMap((root) => linesOfRoot(root))),
    ...strangers.map(({ object, health }) => strangerLine(object, health)),
  ];
  const widths = widthsOf(lines);
  const rendered = lines.flatMap((line) => renderLine(line, widths, columns));
  return `${[...rendered, ...(lines.length === 0 ? [] : [""]), ...wrapWords(summary, columns)].join("\n")}\n`;
}

/** A server with several sources is printed under each of them; its problems are printed once. */
function onceInFull(lines: readonly Line[]): Line[] {
  const said = new Set<string>();
  return lines.map((line) => {
    if (line.facts.length === 0 || line.health === null || line.health.isWell) return line;
    if (said.has(line.label)) return { ...line, health: { isWell: false, words: "as above" } };
    said.add(line.label);
    return line;
  });
}

/** Nothing is declared of a server without health, so at the root it has no mark. */
function linesOfRoot(root: ServerNode): Line[] {
  return [
    serverLine(root, root.health === null ? "" : `${mark(root.health)} `),
    ...root.lines.map((line) => lineBelow(line, "  ")),
    ...root.fed.flatMap((node) => linesOfFed(node, "")),
  ];
}

function linesOfFed(node: ServerNode, indent: string): Line[] {
  return [
    serverLine(node, `${indent}${mark(node.health)} `),
    ...node.lines.map((line) => lineBelow(line, `${indent}  `)),
    ...node.fed.flatMap((next) => linesOfFed(next, `${indent}  `)),
  ];
}

const mark = (health: Health | null): string => (health === null || health.isWell ? "+" : "-");

const serverLine = ({ server, name, health }: ServerNode, lead: string): Line => ({
  lead,
  label: server.endpoint,
  name: name ?? "",
  facts: factsOf(server),
  health,
});

const lineBelow = ({ noun, name, health }: LineNode, indent: string): Line => ({
  lead: `${indent}${mark(health)} `,
  label: name === "" ? `unnamed ${noun}` : `${noun} ${name}`,
  name: "",
  facts: [],
  health,
});

const strangerLine = (object: string, health: Health): Line => ({
  lead: "- ",
  label: object,
  name: "",
  facts: [],
  health,
});

/** Version, access, binlog format, GTIDs. */
function factsOf(server: ServerSeen): readonly string[] {
  if (isUnseen(server)) return ["unknown", "", "", ""];
  const { version, isReadOnly, binlogFormat, hasGtids } = server;
  const access = isReadOnly === null ? unknown : isReadOnly ? "ro" : "rw";
  return [version ?? unknown, access, binlogFormat ?? unknown, hasGtids === null ? unknown : hasGtids ? "GTID" : ""];
}

const unknown = "?"; // one fact of a server that said others

interface Widths {
  readonly label: number;
  readonly name: number;
  readonly facts: readonly number[];
}

function widthsOf(lines: readonly Line[]): Widths {
  const widest = (texts: readonly string[]) => Math.max(0, ...texts.map((text) => text.length));
  const servers = lines.filter(({ facts }) => facts.length > 0);
  return {
    label: widest(lines.map(({ lead, label }) => lead + label)),
    name: widest(lines.map(({ name }) => name)),
    facts: [0, 1, 2, 3].map((column) => widest(servers.map(({ facts }) => facts[column] ?? ""))),
  };
}

function renderLine({ lead, label, name, facts, health }: Line, widths: Widths, columns: number): string[] {
  const left = [(lead + label).padEnd(widths.label), ...(widths.name === 0 ? [] : [name.padEnd(widths.name)])];
  const right =
    facts.length === 0
      ? []
      : widths.facts.flatMap((width, column) => (width === 0 ? [] : [(facts[column] ?? "").padEnd(width)]));
  const table = [...left, ...right].join(gap);
  const said =
    health === null
      ? []
      : [wordsOf(health), ...(health.isWell || health.fix === undefined ? [] : [`fix: ${health.fix}`])];
  const words = said.filter((text) => text !== "");
  if (words.length === 0) return [table.trimEnd()];
  // Lines below a server have no facts: their words are in the column of the servers' facts.
  const beside = columns - table.length - gap.length;
  const startsBelow = beside < narrowest && !words.every((text) => text.length <= beside);
  if (startsBelow) {
    const indent = " ".repeat(lead.length + 2);
    return [
      table.trimEnd(),
      ...words.flatMap((text) => wrapWords(text, columns - indent.length).map((line) => indent + line)),
    ];
  }
  const indent = " ".repeat(table.length + gap.length);
  const wrapped = words.flatMap((text) => wrapWords(text, beside));
  return wrapped.map((line, index) => (index === 0 ? `${table}${gap}${line}` : `${indent}${line}`));
}

const wordsOf = ({ words, code }: Health): string => (code === undefined ? words : `${words} (${code})`);

/** Broken at spaces; a word that is longer than a line gets a line of its own, unbroken, so that it can be copied. */
export function wrapWords(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (const word of paragraph.split(" ").filter((part) => part !== "")) {
      if (line !== "" && line.length + 1 + word.length > columns) {
        lines.push(line);
        line = word;
      } else line = line === "" ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines;
}
