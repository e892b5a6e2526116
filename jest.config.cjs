// One project for each floor of tests (CONTRIBUTING.md says what belongs where). `npm test` runs them in this order; one file alone:
//   node_modules/.bin/node node_modules/.bin/jest test/unit/some.test.ts

/** Published as ES modules only: jest, which requires everything, needs them translated like our own sources. */
const esmPackages = [
  "@sec-ant/readable-stream",
  "@sindresorhus/merge-streams",
  "execa",
  "figures",
  "get-stream",
  "human-signals",
  "is-plain-obj",
  "is-stream",
  "is-unicode-supported",
  "isexe",
  "npm-run-path",
  "parse-ms",
  "path-key",
  "pretty-ms",
  "strip-final-newline",
  "unicorn-magic",
  "yoctocolors",
];

/** @param {string} name @param {object} settings */
const floor = (name, settings = {}) => ({
  displayName: name,
  rootDir: __dirname,
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  testEnvironment: "node",
  transform: {
    "\\.[cm]?[jt]s$": [
      "@swc/jest",
      { swcrc: false, jsc: { parser: { syntax: "typescript" }, target: "es2023" }, module: { type: "commonjs" } },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(.*/)?(${esmPackages.join("|")})/)`, "<rootDir>/dist/"],
  // Its package.json offers nothing to require.
  moduleNameMapper: { "^unicorn-magic$": "<rootDir>/node_modules/unicorn-magic/node.js" },
  modulePathIgnorePatterns: ["<rootDir>/dist", "<rootDir>/.cache"],
  ...settings,
});

/** They share one lab, which is started before their first file and stopped after their last. */
const onLab = {
  globalSetup: "<rootDir>/test/harness/start-lab.ts",
  globalTeardown: "<rootDir>/test/harness/stop-lab.ts",
  setupFilesAfterEnv: ["<rootDir>/test/harness/long-tests.ts"],
};

module.exports = {
  projects: [
    floor("unit", { setupFilesAfterEnv: ["<rootDir>/test/harness/no-console.ts"] }),
    floor("contract", { setupFilesAfterEnv: ["<rootDir>/test/harness/no-console.ts"] }),
    floor("host"),
    floor("live", onLab),
    floor("e2e", onLab),
  ],
};
