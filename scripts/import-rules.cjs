// Who may import what (ARCHITECTURE.md has the picture). ESLint shows these rules while typing; test/unit/architecture.test.ts holds
// every file to them. Plain JavaScript, because the ESLint configuration loads it.

/**
 * @typedef {object} Import
 * @property {string} from the importing file, from the root: `provider/host/ssh/ssh.ts`
 * @property {string} target a package (`ssh2`, `node:fs`), or a file from the root without its ending: `provider/errors`
 * @property {boolean} isType only types are imported
 * @property {readonly string[]} names what is imported by name
 */

/** @typedef {{ readonly what: string, readonly breaks: (one: Import) => boolean }} Rule */

const roomPattern = /^resources\/([^/]+)\//;
/** The flow through a room: a file may import what stands before it. `index` stands aside and sees only the schema. */
const flow = ["schema", "observe", "plan", "steps"];

/** @param {string} path */
const roomOf = (path) => roomPattern.exec(path)?.[1];
/** @param {string} path */
const partOf = (path) => (roomOf(path) === undefined ? undefined : path.replace(roomPattern, "").replace(/\.ts$/, ""));
/** @param {string} path @param {...string} folders */
const isIn = (path, ...folders) => folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
/** @param {string} target @param {string} name */
const isPackage = (target, name) => isIn(target, name);

/** What npm publishes. */
const shipped = ["resources", "provider", "commands"];

/** Each driver has one home; tests and the lab may talk to the real things directly. */
const homes = [
  {
    name: "ssh2",
    home: "provider/host/ssh/ssh.ts",
    also: ["provider/host/ssh/connection.ts", "provider/host/ssh/login.ts", "test"],
  },
  {
    name: "mysql2",
    home: "provider/mysql/client.ts",
    also: ["provider/mysql/driver-options.ts", "test", "lab", "bench"],
  },
  { name: "execa", home: "provider/host/local.ts", also: ["test", "lab"] },
  { name: "zod", home: "a schema.ts or provider/schema/", also: ["provider/schema", "test"], parts: ["schema"] },
  {
    name: "@pulumi/pulumi",
    home: "provider/pulumi/ or the index.ts of a room",
    also: ["provider/pulumi", "resources/index.ts", "examples", "test", "bench"],
    parts: ["index"],
  },
];

/** @type {readonly Rule[]} */
const rules = [
  ...homes.map(({ name, home, also, parts = [] }) => ({
    what: `${name} is imported only in ${home}`,
    /** @param {Import} one */
    breaks: (one) =>
      isPackage(one.target, name) &&
      one.from !== home &&
      !isIn(one.from, ...also) &&
      !parts.some((part) => part === partOf(one.from)),
  })),
  {
    what: "the house names no room: provider/ never imports resources/ or commands/",
    breaks: ({ from, target }) => isIn(from, "provider") && isIn(target, "resources", "commands"),
  },
  {
    what: "what npm publishes does not reach into what it does not",
    breaks: ({ from, target }) => isIn(from, ...shipped) && isIn(target, "lab", "test", "scripts", "bench", "examples"),
  },
  {
    what: "a room never imports another room: what it needs arrives as an input",
    breaks: ({ from, target }) =>
      roomOf(from) !== undefined && isIn(target, "resources") && roomOf(target) !== roomOf(from),
  },
  {
    what: `a room's data flows one way: ${flow.join(" -> ")}`,
    breaks: (one) => {
      const [from, target] = [flow.indexOf(partOf(one.from) ?? ""), flow.indexOf(partOf(one.target) ?? "")];
      return from !== -1 && target > from;
    },
  },
  {
    what: "a room's index.ts sees only its schema and the house's Pulumi side: a user's program loads no driver",
    breaks: ({ from, target, isType }) =>
      partOf(from) === "index" &&
      !isType &&
      !isPackage(target, "@pulumi/pulumi") &&
      partOf(target) !== "schema" &&
      !isIn(target, "provider/pulumi", "provider/schema"),
  },
  {
    what: "schema.ts is a declaration: of packages zod alone, no node:*",
    breaks: ({ from, target }) =>
      partOf(from) === "schema" && !isPackage(target, "zod") && !isIn(target, "provider", "resources"),
  },
  {
    what: "plan.ts is pure: no node:*, no package, and only types of the room's observation",
    breaks: ({ from, target, isType }) =>
      partOf(from) === "plan" && (!isIn(target, "provider", "resources") || (!isType && partOf(target) === "observe")),
  },
  {
    what: "observe.ts reads: it knows HostReader and MysqlReader, never their writing halves",
    breaks: ({ from, target, isType, names }) =>
      partOf(from) === "observe" &&
      (names.some((name) => ["Drivers", "Host", "MysqlClient"].includes(name)) ||
        (!isType && isIn(target, "provider/host/ssh", "provider/host/local", "provider/drivers"))),
  },
];

/** @param {Import} one @returns {readonly string[]} the rules it breaks, in words */
const brokenRules = (one) => rules.filter((rule) => rule.breaks(one)).map((rule) => rule.what);

module.exports = { brokenRules, rules };
