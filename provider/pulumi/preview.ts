import { SluiceError } from "../errors";
import { absent, isSame, type Plan } from "../plan/plan";
import { renderPlan, reportPlan } from "../plan/render";
import { scrubbing, type Report } from "../report";
import type { AnyRoom } from "../room";
import { anchorOf, pathsWith, valueAt } from "../schema/schema";
import { hasUnknown, isUnknown, sayUnknowns, unknownPaths, unknownValue } from "../schema/unknown";
import { objectOf, secretsIn, type Properties } from "./border";
import { engineReport } from "./engine";
import { beforeOf, identityIn, previewKey, urnIn, type Bag } from "./state";

/**
 * The operation that this process serves. Pulumi does not tell a provider, so the resource's class does, through
 * `check`, which is called before `diff`. A refresh runs no program: there `check` is not called.
 */
let operation: "preview" | "up" | "refresh" = "refresh";

export function noteOperation(news: Properties): void {
  operation = news[previewKey] === false ? "up" : "preview";
}

/** Prints what `create` will do. Returns what is refused already. */
export function previewCreate(room: AnyRoom, inputs: Properties, bag: Bag): string[] {
  if (operation === "up") return []; // the preview has printed it, and the running steps print themselves
  const object = objectOf(room, bag, inputs);
  const context = { identity: identityIn(room, bag), before: null, object };
  try {
    const plan: Plan = room.plan(inputs, { settled: room.blank, live: null }, context);
    reportPlan(reportOn(room, bag.urn, inputs), object, plan, room.say);
    return [];
  } catch (error) {
    if (error instanceof SluiceError) return [error.message];
    throw error;
  }
}

/** Prints what an update will do; true if there is something to do. */
export function previewChange(room: AnyRoom, before: Bag, after: Bag, replaced: readonly string[]): boolean {
  const report = reportOn(room, after.urn, after.declared, before.declared);
  const settled = before.remembered?.settled ?? room.blank;
  const identity = identityIn(room, before.remembered === null ? after : before);
  if (replaced.length > 0) {
    if (operation === "preview") sayReplacement(room, before, after.declared, replaced, report);
    return true;
  }
  const object = objectOf(room, after, after.declared);
  try {
    const plan: Plan = room.plan(
      after.declared,
      { settled, live: null },
      { identity, before: beforeOf(before), object },
    );
    if (operation === "preview") {
      reportPlan(report, object, plan, room.say);
      if (!saysUnknown(object, plan, room)) sayWhatIsUnknown(room, after, object, report);
    }
    if (operation === "refresh") reportPlan(report, `${object}, at the next \`pulumi up\``, plan, room.say);
    return plan.steps.length > 0;
  } catch (error) {
    // `up` will refuse this observation and say so. A refresh only records it.
    if (operation === "refresh" && error instanceof SluiceError) return true;
    throw error;
  }
}

const saysUnknown = (object: string, plan: Plan, room: AnyRoom): boolean =>
  plan.steps.length > 0 && renderPlan(object, plan, room.say).includes(sayUnknowns(unknownValue));

/** An earlier resource of the same update changes: its new values are not known yet. */
function sayWhatIsUnknown(room: AnyRoom, bag: Bag, object: string, report: Report): void {
  const derived = Object.keys(room.derive?.(bag.declared, urnIn(bag)) ?? {});
  const passed = new Set([...derived, ...pathsWith(room.schema.declaration, "inert")]);
  const written = Object.entries(bag.declared).filter(([key]) => !passed.has(key));
  const paths = unknownPaths(Object.fromEntries(written));
  if (paths.length > 0)
    report.say(
      `${object}: ${paths.join(", ")} ${paths.length === 1 ? "is" : "are"} known only during up and may add steps`,
    );
}

/** Paths of changed leaves that are part of the object's identity. */
export function replacedBy(room: AnyRoom, before: Properties, after: Properties): string[] {
  return pathsWith(room.schema.declaration, "replaces").filter((path) => {
    const [from, to] = [valueAt(before, path), valueAt(after, path)];
    if (isObject(from) && isObject(to)) return false; // its own leaves say what replaces
    return (hasUnknown(to) || !isSame(from, to)) && !isAnchored(room, path, before, after);
  });
}

function isAnchored(room: AnyRoom, path: string, before: Properties, after: Properties): boolean {
  const anchor = anchorOf(room.schema.declaration, path);
  if (anchor === undefined) return false;
  const [from, to] = [valueAt(before, anchor), valueAt(after, anchor)];
  return from !== undefined && !isUnknown(to) && isSame(from, to);
}

const isObject = (value: unknown): boolean => value !== null && typeof value === "object" && !Array.isArray(value);

function sayReplacement(room: AnyRoom, bag: Bag, after: Properties, replaced: readonly string[], report: Report): void {
  const before = beforeOf(bag);
  const settled = before.settled ?? (room.blank as object);
  const object = objectOf(room, bag, before.declared);
  const because = replaced.map((path) =>
    hasUnknown(valueAt(after, path)) ? `${path} may change (known during up)` : `${path} changes`,
  );
  const title = `${object} is replaced (removed, then created again), because ${because.join(" and ")}`;
  try {
    const plan: Plan = room.plan(absent, { settled, live: null }, { identity: identityIn(room, bag), before, object });
    report.say(renderPlan(title, plan, room.say));
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    report.say(title); // `up` will say why it cannot be removed
  }
}

/** The engine asks twice for the diff of resources that depend on a replacement: each text is printed once. */
const said = new Set<string>();

function reportOn(room: AnyRoom, urn: string, ...declarations: readonly Properties[]): Report {
  const report = scrubbing(engineReport(urn), secretsIn(room, ...declarations));
  const once = (text: string, say: () => void) => {
    if (said.has(`${urn} ${text}`)) return;
    said.add(`${urn} ${text}`);
    say();
  };
  return {
    ...report,
    say: (text) => once(text, () => report.say(sayUnknowns(text))),
    debug: (text) => once(text, () => report.debug(sayUnknowns(text))),
  };
}
