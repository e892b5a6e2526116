import { z } from "zod";
import { SluiceError } from "../../provider/errors";
import { sortLocks } from "../../provider/locks";
import { absent, isSame, saying, type Absent, type Plan, type Step } from "../../provider/plan/plan";
import { renderPlan } from "../../provider/plan/render";
import { complete, outs, valid } from "../../provider/pulumi/border";
import { replacedBy } from "../../provider/pulumi/preview";
import { takeApart } from "../../provider/pulumi/state";
import { typeToken } from "../../provider/pulumi/shell";
import { toWire } from "../../provider/pulumi/wire";
import type { AnyRoom } from "../../provider/room";
import { checkInputs } from "../../provider/schema/check";
import { pathsWith, unwrap, type FieldMeta } from "../../provider/schema/schema";
import { unknownValue } from "../../provider/schema/unknown";
import { unseen } from "../../provider/status";
import { identityOf, type Sample } from "./samples";

type Bag = Record<string, unknown>;

const pairs = 4000;

/** What holds for every room, whatever it makes. */
export function describeRoom({ room, written, settled }: Sample): void {
  const urn = `urn:pulumi:dev::shop::${typeToken(room.kind)}::orders`;
  const check = (raw: Bag) => complete(room, { declared: raw, urn, name: "orders" });
  const declarations = written.map((raw) => check(raw).inputs);

  /** The plan, or the refusal. Anything else that is thrown is a bug. */
  const planOf = (wanted: Bag | Absent, seen: object, declaredBefore: Bag | null): Plan | SluiceError => {
    const object = room.object(wanted === absent ? (declaredBefore ?? declarations[0]) : wanted, "orders");
    const before = declaredBefore && { declared: declaredBefore, settled: seen };
    try {
      return room.plan(wanted, { settled: seen, live: null }, { identity: identityOf(room.kind), before, object });
    } catch (error) {
      if (error instanceof SluiceError) return error;
      throw error;
    }
  };

  describe("check", () => {
    test.each(written.map((raw, index) => [index, raw] as const))(
      "declaration %i is valid, and stays as it is when checked again",
      (_index, raw) => {
        const { inputs, problems } = check(raw);
        expect(problems).toEqual([]);
        expect(room.refine?.(inputs) ?? []).toEqual([]);
        expect(check(inputs)).toEqual({ inputs, problems: [] });
      },
    );

    test("an unknown anywhere fails neither check, nor plan, nor what is printed", () => {
      for (const raw of written)
        for (const path of [...pathsIn(raw), ...Object.keys(room.schema.declaration.shape).map((key) => [key])]) {
          if (!(path.length === 1 && isFilledIn(room, raw, path[0] ?? "")))
            expectTolerated(put(raw, path, unknownValue) as Bag, path.join("."));
        }
    });

    const expectTolerated = (raw: Bag, path: string): void => {
      const { inputs, problems } = check(raw);
      expect({ path, problems }).toEqual({ path, problems: [] });
      for (const seen of settled) {
        const plan = planOf(inputs, seen, declarations[0] ?? null);
        const text = plan instanceof SluiceError ? "" : renderPlan(room.object(inputs, "orders"), plan, room.say);
        expect({ path, text }).toEqual({ path, text: expect.not.stringContaining(unknownValue) });
      }
    };

    test("everything unknown at once is tolerated too", () => {
      const keys = Object.keys(room.schema.declaration.shape).filter((key) => !isFilledIn(room, written[0] ?? {}, key));
      expectTolerated(Object.fromEntries(keys.map((key) => [key, unknownValue])), "all");
    });

    test("whatever a program writes is a problem at most, never a crash", () => {
      const garbage = [5, -1, "", "x", true, [], [null], {}, { a: 1 }, null, [[["deep"]]], "\0", "\ud800"];
      for (const raw of written)
        for (const path of pathsIn(raw))
          for (const value of garbage) expect(() => check(put(raw, path, value) as Bag)).not.toThrow();
    });
  });

  describe("plan", () => {
    const random = randomFrom(42);
    const mixed = (): Bag => {
      const [one, other] = [pick(random, declarations), pick(random, declarations)];
      const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
      const value = (key: string) => {
        const chosen = (random() < 0.5 ? one : other)[key];
        return random() < 0.05 ? unknownValue : chosen;
      };
      return Object.fromEntries(keys.map((key) => [key, value(key)]).filter(([, held]) => held !== undefined));
    };

    test(`is pure: ${String(pairs)} frozen pairs give the same plan twice, or refuse in words`, () => {
      let withSteps = 0;
      for (let round = 0; round < pairs; round += 1) {
        const before = freeze(random() < 0.5 ? null : mixed());
        const wanted = freeze(random() < 0.1 ? absent : mixed());
        const seen = freeze(structuredClone(pick(random, settled)));
        const [first, second] = [planOf(wanted, seen, before), planOf(wanted, seen, before)];
        if (first instanceof SluiceError) {
          expect(second).toBeInstanceOf(SluiceError);
          expect((second as SluiceError).message).toBe(first.message);
        } else {
          expect(second).toEqual(first);
          if (first.steps.length > 0) withSteps += 1;
        }
      }
      expect(withSteps).toBeGreaterThan(pairs / 10); // else this test has looked at refusals only
    });

    test("every kind of step has words, a limit and a performer", () => {
      expect(Object.keys(room.say).sort()).toEqual(Object.keys(room.perform).sort());
      const seenKinds = new Set<string>();
      for (const declared of declarations)
        for (const seen of settled)
          for (const wanted of [declared, absent] as const) {
            const plan = planOf(wanted, seen, declared);
            for (const step of plan instanceof SluiceError ? [] : plan.steps) {
              seenKinds.add(step.kind);
              expectWords(room, step, declared);
            }
          }
      expect(seenKinds.size).toBeGreaterThan(1);
    });

    test("towards absence of what is not there has no step", () => {
      expect(room.exists(room.blank)).toBe(false);
      for (const declared of declarations) expect(planOf(absent, room.blank, declared)).toEqual({ steps: [] });
    });

    test("steps are plain data", () => {
      for (const declared of declarations)
        for (const seen of settled) {
          const plan = planOf(declared, seen, null);
          if (!(plan instanceof SluiceError)) expect(JSON.parse(JSON.stringify(plan.steps))).toEqual(plan.steps);
        }
    });

    test("declarations that are the same object have the same id and the same locks", () => {
      for (let round = 0; round < 200; round += 1) {
        const [one, other] = [known(mixed()), known(mixed())];
        if (one === null || other === null || replacedBy(room, one, other).length > 0) continue;
        expect(room.id(other)).toBe(room.id(one));
        expect(lockNames(other)).toEqual(lockNames(one));
      }
    });

    test("every declaration locks its object exclusively, and no lock twice", () => {
      for (const declared of declarations) {
        const locks = room.locks(declared);
        expect(locks.map(({ mode }) => mode)).toContain("exclusive");
        expect(sortLocks(locks)).toHaveLength(locks.length);
      }
    });

    const lockNames = (declared: Bag) => sortLocks(room.locks(declared)).map(({ name, mode }) => `${mode} ${name}`);

    const known = (raw: Bag): Bag | null => {
      const bag = takeApart(room, raw);
      try {
        return JSON.stringify(raw).includes(unknownValue) ? null : valid(room, bag);
      } catch {
        return null;
      }
    };
  });

  describe("secrets", () => {
    test("are in no plan, statement, error, name, remembered fact or output", () => {
      const paths = pathsWith(room.schema.declaration, "secret");
      expect(paths.length).toBeGreaterThan(0);
      for (const declared of declarations)
        for (const seen of settled) {
          const names = [
            room.object(declared, "orders"),
            room.id(declared),
            ...room.locks(declared).map(({ name }) => name),
          ];
          for (const wanted of [declared, absent] as const) {
            const plan = planOf(wanted, seen, {
              ...declared,
              ...Object.fromEntries(paths.map((path) => [path, "secret:before"])),
            });
            names.push(
              plan instanceof SluiceError
                ? plan.message
                : JSON.stringify(plan.steps.map((step) => [step, saying(room.say, step)])),
            );
          }
          names.push(JSON.stringify(toWire(room.outputs(declared, seen))), JSON.stringify(seen));
          expect(names.join("\n")).not.toContain("secret:");
        }
    });

    test("are marked in what Pulumi stores, at every place", () => {
      for (const declared of declarations) {
        const stored = JSON.stringify(
          outs(room, takeApart(room, { __urn: urn }), declared, { settled: settled[0] ?? null }),
        );
        const marked = /"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","value":"[^"]*"/g;
        expect(stored.replaceAll(marked, "")).not.toContain("secret:");
      }
    });
  });

  describe("what is seen", () => {
    test("is plain data that comes back from the state as it was", () => {
      for (const seen of [room.blank as object, ...settled]) {
        expect(JSON.parse(JSON.stringify(seen))).toEqual(seen);
        const stored = outs(room, takeApart(room, { __urn: urn }), declarations[0] ?? {}, {
          seal: identityOf(room.kind).seal,
          settled: seen,
        });
        expect(takeApart(room, stored).remembered).toEqual({
          stateVersion: 2,
          identity: identityOf(room.kind),
          settled: seen,
        });
      }
    });

    test("is not shown as seen where the object cannot be looked at now", () => {
      for (const declared of declarations)
        for (const seen of settled) {
          const shows = room.status?.(declared, { settled: seen, live: null }, "it").shows;
          if (shows === undefined) continue;
          const flow = "server" in shows ? null : shows.flow;
          const servers = ["server" in shows ? shows.server : shows.below, ...(flow === null ? [] : [flow.from])];
          expect(servers).toEqual(servers.map(({ endpoint }) => unseen(endpoint)));
          expect(flow?.lagSeconds ?? null).toBeNull();
        }
    });

    test("gives the outputs that are declared, as plain data", () => {
      for (const declared of declarations)
        for (const seen of settled) {
          const outputs = room.outputs(declared, seen);
          expect(Object.keys(room.schema.outputs)).toEqual(expect.arrayContaining(Object.keys(outputs)));
        }
    });

    test("laid over the declaration is a declaration again", () => {
      for (const declared of declarations)
        for (const seen of settled) {
          const found = { ...declared, ...room.asDeclared(declared, seen) };
          expect({ seen, problems: checkInputs(room.schema, found).problems }).toEqual({ seen, problems: [] });
        }
    });
  });

  describe("schema", () => {
    const fields = fieldsOf(room.schema.declaration);

    test.each(fields)("$path says what it is", ({ schema, name }) => {
      const meta = metaOf(schema);
      expect(meta.description).toMatch(/^\S.*[.:!?`)]$/s);
      const type = unwrap(schema);
      if (type instanceof z.ZodNumber) {
        const isUnitless = /^(port|serverId|parts)$/.test(name);
        expect({
          name,
          unit: isUnitless || /(Seconds|Bytes|Percent|Millis)$/.test(name) || meta.unit !== undefined,
        }).toEqual({ name, unit: true });
        if (hasDefault(schema)) expect({ name, source: meta.source }).toEqual({ name, source: expect.any(String) });
      }
      const looksSecret = /password|passphrase|privatekey|secret|token|^key$/i.test(name) && !/File$/.test(name);
      expect({ name, secret: meta.secret === true }).toEqual({ name, secret: looksSecret });
    });

    test("no map holds a secret: they are marked by path", () => {
      const inMaps = fields.filter(({ path, schema }) => path.includes("{}") && metaOf(schema).secret === true);
      expect(inMaps).toEqual([]);
    });

    test("every output says what it is, and none is an input", () => {
      for (const [key, text] of Object.entries(room.schema.outputs)) {
        expect(text).toMatch(/^\S.*\.$/);
        expect(Object.keys(room.schema.declaration.shape)).not.toContain(key);
      }
    });

    test("something is the object's identity", () => {
      expect(pathsWith(room.schema.declaration, "replaces").length).toBeGreaterThan(0);
    });
  });
}

function expectWords(room: AnyRoom, step: Step, declared: Bag): void {
  const { what, because = [], interrupts } = saying(room.say, step);
  expect(what).toMatch(/^[a-z].*[^.]$/);
  for (const { property, to } of because)
    expect([property, to]).toEqual([expect.stringMatching(/./), expect.any(String)]);
  if (interrupts !== undefined) expect(interrupts).toMatch(/^[a-z].*[^.]$/);
  const seconds = room.withinSeconds(step, declared);
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(31 * 86_400);
}

/** What derive fills in is not a program's to write. */
const isFilledIn = (room: AnyRoom, raw: Bag, key: string): boolean =>
  !(key in raw) && key in (room.derive?.(raw, { text: "", project: "p", stack: "s", name: "n" }) ?? {});

function pathsIn(value: unknown, path: readonly string[] = []): string[][] {
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) => [[...path, key], ...pathsIn(inner, [...path, key])]);
}

function put(value: unknown, [head, ...rest]: readonly string[], leaf: unknown): unknown {
  if (head === undefined) return leaf;
  const inner = put((value as Bag | undefined)?.[head], rest, leaf);
  return Array.isArray(value)
    ? value.map((old: unknown, index) => (String(index) === head ? inner : old))
    : { ...(value as object), [head]: inner };
}

function freeze<T>(value: T): T {
  if (value !== null && typeof value === "object") for (const inner of Object.values(value)) freeze(inner);
  return typeof value === "symbol" ? value : Object.freeze(value);
}

interface Field {
  readonly path: string;
  readonly name: string;
  readonly schema: z.ZodType;
}

/** Every field at every depth: `source.tls.ca`, `filters.rewriteDatabases[].from`. */
function fieldsOf(schema: z.ZodType, path = ""): Field[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion) return (inner.options as z.ZodType[]).flatMap((option) => fieldsOf(option, path));
  if (inner instanceof z.ZodArray) return fieldsOf(inner.element as z.ZodType, `${path}[]`);
  if (inner instanceof z.ZodRecord) return fieldsOf(inner.valueType as z.ZodType, `${path}{}`);
  if (!(inner instanceof z.ZodObject)) return [];
  const shape: Record<string, z.ZodType> = inner.shape;
  return Object.entries(shape).flatMap(([name, field]) => {
    const at = path === "" ? name : `${path}.${name}`;
    return [{ path: at, name, schema: field }, ...fieldsOf(field, at)];
  });
}

type Meta = FieldMeta & { readonly description?: string };

/** Of the field and of the types it wraps. */
function metaOf(schema: z.ZodType): Meta {
  const own = (schema.meta() ?? {}) as Meta;
  const wraps = schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault;
  return wraps ? { ...metaOf(schema.unwrap() as z.ZodType), ...own } : own;
}

const hasDefault = (schema: z.ZodType): boolean => {
  const parsed = schema.safeParse(undefined);
  return parsed.success && !isSame(parsed.data, null);
};

/** mulberry32: the same numbers at every run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function pick<T>(random: () => number, from: readonly T[]): T {
  const chosen = from[Math.floor(random() * from.length)];
  if (chosen === undefined) throw new Error("nothing to pick from");
  return chosen;
}
