// Type-aware linting. Rules are here because they find bugs in code that waits on ssh and MySQL, or because they keep the house in shape;
// formatting is prettier's.
import { dirname, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import tseslint from "typescript-eslint";
import importRules from "./scripts/import-rules.cjs";

const root = dirname(fileURLToPath(import.meta.url));

/** scripts/import-rules.cjs, shown at the import. test/unit/architecture.test.ts checks the same without ESLint. */
/** @type {import("eslint").Rule.RuleModule} */
const architecture = {
  meta: { type: "problem", schema: [], messages: { broken: "{{rule}}" } },
  create(context) {
    const from = relative(root, context.filename).split(sep).join("/");
    /** @param {any} node an import, or an export from another file: their shapes differ, the parts read here do not */
    const check = (node) => {
      if (node.source == null) return;
      const specifiers = node.specifiers ?? [];
      /** @param {any} one */
      const isTypeOnly = (one) => one.importKind === "type" || one.exportKind === "type";
      const found = {
        from,
        target: targetOf(from, node.source.value),
        isType: isTypeOnly(node) || (specifiers.length > 0 && specifiers.every(isTypeOnly)),
        names: specifiers.map((/** @type {any} */ one) => one.imported?.name ?? one.local?.name ?? ""),
      };
      for (const rule of importRules.brokenRules(found)) context.report({ node, messageId: "broken", data: { rule } });
    };
    return { ImportDeclaration: check, ExportNamedDeclaration: check, ExportAllDeclaration: check };
  },
};

/** @param {string} from @param {string} specifier */
function targetOf(from, specifier) {
  if (!specifier.startsWith(".")) return specifier;
  return new URL(specifier, `file:///${from}`).pathname.slice(1).replace(/\.[cm]?[jt]s$/, "");
}

const tools = ["scripts/**", "bench/**", "examples/**", "commands/**", "lab/lab.ts"];
const tests = ["test/**"];

export default tseslint.config(
  { ignores: [".cache/**", "dist/**", "dist.*/**", "node_modules/**", "coverage/**"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    plugins: { sluice: { rules: { architecture } } },
    languageOptions: { parserOptions: { project: "tsconfig.tools.json", tsconfigRootDir: root } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "sluice/architecture": "error",
      "no-console": "error",
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Export by name: a name can be searched for." },
      ],
      eqeqeq: ["error", "always", { null: "ignore" }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", ignoreRestSiblings: true }],
      // Taste, not bugs: a one-line `return close()`, `void promise` beside `void value`, the code points of a text.
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-meaningless-void-operator": "off",
      "@typescript-eslint/no-misused-spread": "off",
      // A method that must be async for its interface need not await; a promise that is thrown away is what hurts.
      "@typescript-eslint/require-await": "off",
      // Inputs of a user's program and rows of a server are not always what their types say.
      "@typescript-eslint/no-unnecessary-condition": "off",
    },
  },
  {
    // The house handles any room (AnyRoom); each room is checked where it is defined.
    files: ["provider/lifecycle.ts", "provider/pulumi/*.ts"],
    rules: {
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-return": "off",
    },
  },
  { files: tools, rules: { "no-console": "off" } },
  {
    files: tests,
    rules: {
      // A test looks into what our types hide.
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/unbound-method": "off",
      "@typescript-eslint/no-empty-function": "off",
    },
  },
  { files: ["test/harness/**"], rules: { "no-console": "off" } },
);
