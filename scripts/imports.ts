import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";
import ts from "typescript";
import type { Import } from "./import-rules.cjs";

/** Every TypeScript file of the project below the folders, from the root, with forward slashes, in order. */
export function listSources(root: string, folders: readonly string[]): readonly string[] {
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.parentPath.includes("node_modules"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}

/** The imports of a file, re-exports, `require` and `import()` with a plain text included. */
export function readImports(root: string, from: string): readonly Import[] {
  const source = ts.createSourceFile(from, readFileSync(join(root, from), "utf8"), ts.ScriptTarget.ES2022, true);
  const found: Import[] = [];
  const add = (specifier: string, isType: boolean, names: readonly string[]) =>
    found.push({ from, target: targetOf(from, specifier), isType, names });
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const { isType, names } = readClause(node.importClause);
      add(node.moduleSpecifier.text, isType, names);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      const elements = node.exportClause && ts.isNamedExports(node.exportClause) ? [...node.exportClause.elements] : [];
      const isType = node.isTypeOnly || (elements.length > 0 && elements.every((element) => element.isTypeOnly));
      const names = elements.map(nameOf);
      add(node.moduleSpecifier.text, isType, names);
    } else if (ts.isCallExpression(node) && isRequire(node.expression)) {
      const [specifier] = node.arguments;
      if (specifier !== undefined && ts.isStringLiteral(specifier)) add(specifier.text, false, []);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      if (ts.isStringLiteral(node.argument.literal)) add(node.argument.literal.text, true, []);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const isRequire = (node: ts.Expression): boolean =>
  node.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(node) && node.text === "require");

const nameOf = (element: ts.ImportSpecifier | ts.ExportSpecifier): string =>
  (element.propertyName ?? element.name).text;

function readClause(clause: ts.ImportClause | undefined): Pick<Import, "isType" | "names"> {
  const bindings = clause?.namedBindings;
  const elements = bindings !== undefined && ts.isNamedImports(bindings) ? [...bindings.elements] : [];
  const onlyTypes =
    elements.length > 0 && clause?.name === undefined && elements.every((element) => element.isTypeOnly);
  return { isType: clause?.phaseModifier === ts.SyntaxKind.TypeKeyword || onlyTypes, names: elements.map(nameOf) };
}

/** `../errors` from `provider/host/ssh/ssh.ts` is `provider/errors`; a package stays what it is. */
export function targetOf(from: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return posix.join(posix.dirname(from), specifier).replace(/\.([cm]?[jt]s)$/, "");
}

/** Files by what they import of each other. A folder stands for its index.ts. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

export function graphOf(files: readonly string[], imports: readonly Import[]): ImportGraph {
  const known = new Set(files);
  const fileOf = (target: string) => [`${target}.ts`, `${target}/index.ts`].find((file) => known.has(file));
  return new Map(
    files.map((file) => {
      const targets = imports.filter((one) => one.from === file).map((one) => fileOf(one.target));
      return [file, targets.filter((target) => target !== undefined)];
    }),
  );
}

/** Each ring of imports once, as the files on it. */
export function findCycles(graph: ImportGraph): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start !== -1) cycles.push([...path.slice(start), file]);
    if (start !== -1 || done.has(file)) return;
    for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return cycles;
}

/** Everything a file brings with it, itself included. */
export function reachableFrom(graph: ImportGraph, file: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const visit = (one: string): void => {
    if (seen.has(one)) return;
    seen.add(one);
    for (const target of graph.get(one) ?? []) visit(target);
  };
  visit(file);
  return seen;
}
