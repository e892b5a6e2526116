import type * as pulumi from "@pulumi/pulumi";
import { openDrivers } from "../drivers";
import { SluiceError } from "../errors";
import { converge, look, type Looking, type Seen, PartlyDone, remove } from "../lifecycle";
import { isSame } from "../plan/plan";
import { scrub, scrubbing } from "../report";
import type { AnyRoom, Operation } from "../room";
import { readTogether } from "../readers";
import { hasUnknown, sayUnknowns } from "../schema/unknown";
import { pathsWith } from "../schema/schema";
import {
  complete,
  leaving,
  Left,
  objectOf,
  outs,
  secretsIn,
  valid,
  wired,
  writtenBefore,
  type Properties,
} from "./border";
import { startCost } from "./cost";
import { atWork, endRow, engineReport } from "./engine";
import { noteOperation, previewChange, previewCreate, replacedBy } from "./preview";
import { beforeOf, identityIn, namesOf, strangers, takeApart, withNameOf, type Bag } from "./state";
import { parseUrn } from "./urn";

type Provider = Required<Omit<pulumi.dynamic.ResourceProvider, "configure">>;

/** Pulumi's six calls for one room. `check` and `diff` use no network and change nothing. */
export function dynamicProvider(room: AnyRoom): Provider {
  return {
    check: (olds: Properties, news: Properties) => answer(room, [olds, news], () => check(room, olds, news)),
    diff: (_id: string, olds: Properties, news: Properties) => answer(room, [olds, news], () => diff(room, olds, news)),
    create: (news: Properties) => answer(room, [news], (signal) => make(room, undefined, null, news, signal)),
    update: (id: string, olds: Properties, news: Properties) =>
      answer(room, [olds, news], (signal) => make(room, id, olds, news, signal)),
    read: (id: string, bag: Properties = {}) => answer(room, [bag], (signal) => read(room, id, bag, signal)),
    delete: (_id: string, bag: Properties) => answer(room, [bag], (signal) => destroy(room, bag, signal)),
  };
}

/** One call. Every failure leaves as an expected error without the secrets of the request. */
async function answer<T>(
  room: AnyRoom,
  bags: readonly Properties[],
  work: (signal: AbortSignal) => T | Promise<T>,
): Promise<T> {
  try {
    return await atWork(async (signal) => work(signal));
  } catch (error) {
    const { name } = parseUrn(takeApart(room, { __urn: bags.at(-1)?.["__urn"] }).urn);
    throw leaving(`${room.kind} ${name}`.trim(), error, secretsIn(room, ...bags));
  }
}

function check(room: AnyRoom, olds: Properties, news: Properties): pulumi.dynamic.CheckResult {
  noteOperation(news);
  const before = takeApart(room, olds);
  const bag = withNameOf(before, takeApart(room, news));
  const { inputs, problems } = complete(room, { ...bag, declared: { ...bag.declared, ...strangers(room, news) } });
  const relations = problems.length === 0 && !hasUnknown(inputs) ? (room.refine?.(inputs) ?? []) : [];
  const isNew = Object.keys(before.declared).length === 0;
  const refusals = isNew && problems.length + relations.length === 0 ? previewCreate(room, inputs, bag) : [];
  const secrets = secretsIn(room, inputs);
  // property "": the engine prints the value of a property it is given, secrets included (errors.go 2003).
  const failures = [...problems, ...relations, ...refusals].map((reason) => ({
    property: "",
    reason: sayUnknowns(scrub(reason, secrets)),
  }));
  return { inputs: wired(room, { ...inputs, ...namesOf(bag) }), failures };
}

function diff(room: AnyRoom, olds: Properties, news: Properties): pulumi.dynamic.DiffResult {
  const stored = takeApart(room, olds);
  const before = { ...stored, declared: complete(room, stored).inputs };
  const after = takeApart(room, news);
  const replaced = replacedBy(room, before.declared, after.declared);
  const hasSteps = previewChange(room, before, after, replaced);
  const inert = new Set(pathsWith(room.schema.declaration, "inert"));
  // A value that is known only during `up`, and that changes nothing alone, is not a reason for an update.
  const isChanged = (key: string) =>
    hasUnknown(after.declared[key]) ? !inert.has(key) : !isSame(before.declared[key], after.declared[key]);
  return {
    changes: hasSteps || stored.remembered === null || Object.keys(room.schema.declaration.shape).some(isChanged),
    replaces: [...new Set(replaced.map((path) => path.split(".")[0] ?? path))],
    // Always: a host can have two names, and then removing the old object last would remove the new one.
    deleteBeforeReplace: replaced.length > 0,
  };
}

/** create and update. A partial failure keeps the resource in state. */
async function make(
  room: AnyRoom,
  id: string | undefined,
  olds: Properties | null,
  news: Properties,
  signal: AbortSignal,
): Promise<{ id: string; outs: Properties }> {
  const before = olds && takeApart(room, olds);
  const bag = { ...takeApart(room, news), remembered: before?.remembered ?? null };
  const declared = valid(room, bag);
  const made = { id: id ?? room.id(declared) };
  try {
    const converged = await within(
      room,
      { operation: id === undefined ? "create" : "update", bag, declared, before, signal },
      converge,
    );
    return { ...made, outs: outs(room, bag, declared, converged) };
  } catch (error) {
    if (!(error instanceof PartlyDone)) throw error;
    const text = scrub(error.message, secretsIn(room, declared, before?.declared));
    // Pulumi adds `__provider` to results, but not to this (dynamic-provider/index.js grpcResponseFromError).
    const properties = { ...outs(room, bag, declared, error), __provider: bag.provider };
    throw Object.assign(new Left(text), { ...made, properties, reasons: [text] });
  }
}

async function read(
  room: AnyRoom,
  id: string,
  properties: Properties,
  signal: AbortSignal,
): Promise<pulumi.dynamic.ReadResult> {
  const bag = takeApart(room, properties);
  const declared = complete(room, bag).inputs;
  const seen = await looking(room, { operation: "read", bag, declared, before: bag, signal });
  if (seen !== undefined) {
    const { settled } = seen;
    const found = room.asDeclared(declared, settled);
    const written = writtenBefore(room, bag, found);
    return { id, props: outs(room, bag, { ...declared, ...found }, { settled, written }) };
  }
  if (bag.remembered === null) throw absentError(objectOf(room, bag, declared));
  return {};
}

/** A refresh prints what `sluice status` says about an object that is not healthy; state alone would not show it. */
async function lookAndWarn(operation: Looking & { readonly written: Properties }): Promise<Seen | undefined> {
  const { room, declared, drivers, written } = operation;
  const seen = await look(operation);
  if (seen === undefined) return undefined;
  const health = room.status?.({ ...declared, ...written }, seen, drivers.object).health;
  if (health === undefined || health.isWell) return seen;
  const fix = health.fix === undefined ? [] : [`  fix  ${health.fix}`];
  drivers.report.warn([`${drivers.object}: ${health.words}`, ...fix].join("\n"));
  return seen;
}

/**
 * Pulumi takes an empty answer for a deleted object, and then gives a program that reads an object by its id an object
 * that does not exist.
 */
const absentError = (object: string): SluiceError =>
  new SluiceError({
    code: "OBJECT_ABSENT",
    object,
    what: "cannot be read, it does not exist",
    fix: "correct the properties that identify it, or remove the option `id` to create it",
  });

async function destroy(room: AnyRoom, properties: Properties, signal: AbortSignal): Promise<void> {
  const bag = takeApart(room, properties);
  await within(room, { operation: "delete", bag, declared: complete(room, bag).inputs, before: bag, signal }, remove);
}

/** A refresh reads all resources side by side: those on the same hosts and servers share their queries. */
async function looking(room: AnyRoom, call: Call): Promise<Seen | undefined> {
  const { bag, declared, signal } = call;
  const report = scrubbing(engineReport(bag.urn), secretsIn(room, declared));
  const before = beforeOf({ ...bag, declared });
  const renderCost = startCost();
  try {
    return await readTogether({ object: objectOf(room, bag, declared), signal, report }, (drivers) =>
      lookAndWarn({ room, declared, before, drivers, written: bag.remembered?.written ?? {} }),
    );
  } finally {
    report.debug(renderCost(call.operation));
    endRow(bag.urn);
  }
}

interface Call {
  readonly operation: "create" | "update" | "read" | "delete";
  readonly bag: Bag;
  readonly declared: Properties;
  readonly before: Bag | null;
  readonly signal: AbortSignal;
}

/** Runs one operation with drivers of its own. */
async function within<T>(
  room: AnyRoom,
  call: Call,
  work: (operation: Operation & { readonly written: Properties }) => Promise<T>,
): Promise<T> {
  const { bag, declared, signal } = call;
  const report = scrubbing(engineReport(bag.urn), secretsIn(room, declared, call.before?.declared));
  const drivers = openDrivers({ object: objectOf(room, bag, declared), signal, report });
  const before = call.before && beforeOf({ ...call.before, declared: complete(room, call.before).inputs });
  const renderCost = startCost();
  try {
    return await work({
      room,
      declared,
      identity: identityIn(room, bag),
      before,
      drivers,
      written: bag.remembered?.written ?? {},
    });
  } finally {
    await drivers.close();
    report.debug(renderCost(call.operation));
    endRow(bag.urn);
  }
}
