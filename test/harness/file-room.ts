import { z } from "zod";
import { SluiceError } from "../../provider/errors";
import { sh } from "../../provider/host/command";
import { isOurs } from "../../provider/mark/mark";
import { requireOurs } from "../../provider/mark/refusals";
import { absent, compare, inOrder, type Difference, type Sayings } from "../../provider/plan/plan";
import { defineRoom, type Observed as ObservedOf, type Performers } from "../../provider/room";
import { host } from "../../provider/schema/connection";
import { absolutePath, secretText, seconds } from "../../provider/schema/fields";
import { isUnknown, unknownValue } from "../../provider/schema/unknown";
import { awaitCondition, done, waiting } from "../../provider/wait";

/**
 * A room for tests of everything that is the same for all rooms: a directory with a marker, some parts and a text. Its steps can
 * be made to wait (`gate`: a file that must be there) and to fail.
 */
const declaration = z.strictObject({
  host: host.describe("The machine."),
  directory: absolutePath.describe("The directory; another one is another object.").meta({ replaces: true }),
  text: z.string().default("hello").describe("What the file `text` says.").meta({ source: "made up" }),
  parts: z.int().min(0).max(20).default(2).describe("How many parts there are.").meta({ source: "made up" }),
  password: secretText.optional().describe("Kept in the file `password`."),
  access: z
    .strictObject({
      user: z.string().default("nobody").describe("Somebody.").meta({ source: "made up" }),
      token: secretText.optional().describe("A secret below another property."),
    })
    .optional()
    .describe("Nothing is done with it."),
  gate: absolutePath.optional().describe("Each part waits until this file is there."),
  partSeconds: seconds({ min: 1, max: 3600 })
    .default(60)
    .describe("Longest time a part may take.")
    .meta({ source: "made up" }),
  failure: z
    .enum(["none", "expected", "bug", "uncaught"])
    .default("none")
    .describe("How the text is not written.")
    .meta({ source: "made up" }),
  label: z.string().describe("Filled in: the directory's last word."),
});

export type Declaration = z.output<typeof declaration>;
export type FileRoomArgs = Omit<z.input<typeof declaration>, "label">;

export interface Settled {
  readonly owner: string | null;
  readonly seal: string | null;
  readonly parts: number;
  readonly text: string | null;
  readonly passwordMatches: boolean;
}
interface Live {
  readonly hasGate: boolean;
}
type Observed = ObservedOf<Settled, Live>;

type FileStep =
  | { readonly kind: "claim" }
  | { readonly kind: "add-part"; readonly part: number }
  | { readonly kind: "write-text"; readonly text: string; readonly because: readonly Difference[] }
  | { readonly kind: "set-password" }
  | { readonly kind: "remove"; readonly directory: string };

const say: Sayings<FileStep> = {
  claim: () => ({ what: "claim the directory" }),
  "add-part": ({ part }) => ({ what: `add part ${String(part)}` }),
  "write-text": ({ because }) => ({
    what: "write the text",
    because,
    interrupts: "nobody can read it meanwhile",
    sql: ["WRITE 'it'"],
  }),
  "set-password": () => ({ what: "set the password", because: [{ property: "password", from: "", to: "changed" }] }),
  remove: ({ directory }) => ({ what: `remove ${directory}`, interrupts: "its files are gone" }),
};

/** Root only where the test is root: these files are of whoever runs it. */
const perform: Performers<Declaration, Settled, Live, FileStep> = {
  claim: async (_step, { host, declared, identity }) => {
    const machine = await host(declared.host);
    await machine.run(sh`mkdir -p ${declared.directory}`);
    await machine.writeFile(`${declared.directory}/marker`, identity.name, { mode: 0o600 });
  },
  "add-part": async ({ part }, { host, declared, signal, report, object }) => {
    const machine = await host(declared.host);
    const { gate } = declared;
    if (gate !== undefined)
      await awaitCondition({
        object,
        what: "the gate",
        withinSeconds: 3600,
        everyMillis: 100,
        signal,
        onWait: (why) => {
          report.progress(why);
        },
        check: async () =>
          (await machine.inspect(gate)).kind === "absent" ? waiting("the gate is closed") : done(true),
      });
    // Appended, so that a test sees what was done twice.
    await machine.run(sh`echo ${part} >> ${`${declared.directory}/part-${String(part)}`}`);
  },
  "write-text": async ({ text }, { host, declared, object }) => {
    if (declared.failure === "expected")
      throw new SluiceError({
        code: "COMMAND_FAILED",
        object,
        what: "cannot write the text, the pen is dry",
        found: `password ${declared.password ?? "none"}`,
        needs: "ink",
        fix: "fill it",
      });
    if (declared.failure === "bug") throw new TypeError(`text is not writable: ${declared.password ?? ""}`);
    if (declared.failure === "uncaught") {
      setImmediate(() => {
        throw new Error(`nobody listens: ${declared.password ?? ""}`);
      });
      await new Promise(() => undefined);
    }
    const machine = await host(declared.host);
    await machine.writeFile(`${declared.directory}/text`, text, { mode: 0o644 });
  },
  "set-password": async (_step, { host, declared }) => {
    const machine = await host(declared.host);
    await machine.writeFile(`${declared.directory}/password`, declared.password ?? "", { mode: 0o600 });
  },
  remove: async (_step, { host, declared }) => {
    const machine = await host(declared.host);
    await machine.run(sh`rm -rf ${declared.directory}`);
  },
};

const last = (path: string): string => path.split("/").at(-1) ?? "";

export const fileRoom = defineRoom<Declaration, Settled, Live, FileStep>({
  kind: "FileRoom",
  schema: { declaration, outputs: { count: "How many parts there are.", text64: "The text again, as bytes." } },
  object: ({ directory }) => `files ${isUnknown(directory) ? "(known during up)" : last(directory)}@local`,
  id: ({ directory }) => `local:${directory}`,
  locks: ({ host, directory }) => [{ host, name: `files:${directory}`, mode: "exclusive" }],
  derive: ({ directory }) => {
    if (isUnknown(directory)) return { label: unknownValue };
    return typeof directory === "string" ? { label: last(directory) } : {};
  },
  refine: ({ text, password }) => (text === password ? ["text: must not be the password"] : []),
  blank: { owner: null, seal: null, parts: 0, text: null, passwordMatches: false },
  observe: async ({ host, directory, password, gate }, look) => {
    const machine = await look.host(host);
    const read = (name: string) => machine.readFile(`${directory}/${name}`);
    const count = await machine.query(sh`find ${directory} -maxdepth 1 -name ${"part-*"} 2>/dev/null | wc -l`);
    const settled = {
      owner: (await read("marker")) ?? null,
      seal: (await read("seal")) ?? null,
      parts: Number(count.stdout.trim()),
      text: (await read("text")) ?? null,
      passwordMatches: (await read("password")) === password,
    };
    return { settled, live: { hasGate: gate !== undefined && (await machine.inspect(gate)).kind !== "absent" } };
  },
  exists: ({ owner }) => owner !== null,
  seal: {
    of: ({ seal }) => seal,
    write: async (seal, { host, declared, seen }) => {
      const machine = await host(declared.host);
      await machine.writeFile(`${declared.directory}/seal`, seal, { mode: 0o600 });
      return { ...seen.settled, seal };
    },
  },
  plan: (wanted, seen: Observed, context) => {
    const { object, identity, before } = context;
    const { settled, live } = seen;
    const found = settled.owner === null ? null : { kind: "FileRoom", name: settled.owner, seal: settled.seal };
    if (wanted === absent)
      return inOrder(found !== null && isOurs(found, identity) && ({ kind: "remove", directory: object } as const));
    if (found !== null)
      requireOurs({
        object,
        identity,
        found,
        adopt: false,
        thing: `directory ${wanted.directory}`,
        another: "another `directory`",
      });
    const parts = typeof wanted.parts === "number" ? wanted.parts : settled.parts;
    const missing = Array.from({ length: Math.max(0, parts - settled.parts) }, (_, index) => settled.parts + index + 1);
    const because = compare({ text: wanted.text }, { text: settled.text });
    const passwordChanged =
      wanted.password !== undefined &&
      (live === null && before !== null ? wanted.password !== before.declared.password : !settled.passwordMatches);
    return inOrder<FileStep>(
      settled.owner === null && { kind: "claim" },
      ...missing.map((part) => ({ kind: "add-part", part }) as const),
      because.length > 0 && { kind: "write-text", text: wanted.text, because },
      passwordChanged && { kind: "set-password" },
    );
  },
  say,
  perform,
  withinSeconds: (_step, { partSeconds }) => partSeconds,
  outputs: (_declared, { parts, text }) => ({ count: BigInt(parts), text64: Buffer.from(text ?? "") }),
  asDeclared: (_declared, { text, parts }) => ({ parts, ...(text === null ? {} : { text }) }),
});
