// Lets Node load our TypeScript tools (scripts/, lab/, bench/) as they are: types are stripped, imports become require.
// What users get is compiled by tsc into dist/.
const { transformFileSync } = require("@swc/core");

/** @param {NodeJS.Module & { _compile(code: string, path: string): void }} module @param {string} path */
const load = (module, path) => {
  const { code } = transformFileSync(path, {
    swcrc: false,
    sourceMaps: "inline",
    jsc: { parser: { syntax: "typescript" }, target: "es2023" },
    module: { type: "commonjs", ignoreDynamic: true },
  });
  module._compile(code, path);
};
require.extensions[".ts"] = /** @type {(module: NodeJS.Module, path: string) => void} */ (load);
process.setSourceMapsEnabled(true);
