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
const partPattern = /^provider\/parts\/([^/]+)\//;
/**
 * The flow through a room, and through a part that rooms share: a file may import the ones before it. `index` stands aside and
 * sees only the schema.
 */
const flow = ["schema", "facts", "observe", "plan", "steps"];

/** @param {string} path */
const roomOf = (path) => roomPattern.exec(path)?.[1];
/** @param {string} path */
const partOf = (path) => partPattern.exec(path)?.[1];
/** @param {string} path the file of a room or of a part, without its folder and ending */
const stationOf = (path) =>
  roomOf(path) === undefined && partOf(path) === undefined ? undefined : path.replace(/^.*\//, "").replace(/\.ts$/, "");
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
  { name: "zod", home: "a schema.ts or provider/schema/", also: ["provider/schema", "test"], stations: ["schema"] },
  {
    name: "@pulumi/pulumi",
    home: "provider/pulumi/ or the index.ts of a room",
    also: ["provider/pulumi", "resources/index.ts", "examples", "test", "bench"],
    stations: ["index"],
  },
];

/** @type {readonly Rule[]} */
const rules = [
  ...homes.map(({ name, home, also, stations = [] }) => ({
    what: `${name} is imported only in ${home}`,
    /** @param {Import} one */
    breaks: (one) =>
      isPackage(one.target, name) &&
      one.from !== home &&
      !isIn(one.from, ...also) &&
      !stations.some((station) => station === stationOf(one.from)),
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
    what: "only rooms import parts, and no part imports another part",
    breaks: ({ from, target }) =>
      isIn(target, "provider/parts") &&
      ((isIn(from, "provider") && !isIn(from, "provider/parts")) ||
        (partOf(from) !== undefined && partOf(target) !== partOf(from))),
  },
  {
    what: `a room's data flows one way: ${flow.join(" -> ")}`,
    breaks: (one) => {
      const [from, target] = [flow.indexOf(stationOf(one.from) ?? ""), flow.indexOf(stationOf(one.target) ?? "")];
      return from !== -1 && target > from;
    },
  },
  {
    what: "a room's index.ts sees only its schema and the house's Pulumi side: a user's program loads no driver",
    breaks: ({ from, target, isType }) =>
      stationOf(from) === "index" &&
      !isType &&
      !isPackage(target, "@pulumi/pulumi") &&
      stationOf(target) !== "schema" &&
      !isIn(target, "provider/pulumi", "provider/schema"),
  },
  {
    what: "schema.ts is a declaration: of packages zod alone, no node:*",
    breaks: ({ from, target }) =>
      stationOf(from) === "schema" && !isPackage(target, "zod") && !isIn(target, "provider", "resources"),
  },
  {
    what: "plan.ts is pure: no node:*, no package, and only types of the room's observation",
    breaks: ({ from, target, isType }) =>
      stationOf(from) === "plan" &&
      (!isIn(target, "provider", "resources") || (!isType && stationOf(target) === "observe")),
  },
  {
    what: "observe.ts reads: it knows HostReader and MysqlReader, never their writing halves",
    breaks: ({ from, target, isType, names }) =>
      stationOf(from) === "observe" &&
      (names.some((name) => ["Drivers", "Host", "MysqlClient"].includes(name)) ||
        (!isType && isIn(target, "provider/host/ssh", "provider/host/local", "provider/drivers"))),
  },
];

/** @param {Import} one @returns {readonly string[]} the rules it breaks, in words */
const brokenRules = (one) => rules.filter((rule) => rule.breaks(one)).map((rule) => rule.what);

module.exports = { brokenRules, rules };
