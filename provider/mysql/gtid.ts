import { SluiceError } from "../errors";

/** Transactions `first` to `last`, both included. */
interface Interval {
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * A set of GTIDs as a value. Keys are `uuid` or `uuid:tag` (tags since MySQL 8.3), lower case and sorted; intervals are
 * sorted, apart from each other, never empty. Two equal sets render to the same text.
 */
export interface GtidSet {
  readonly intervals: ReadonlyMap<string, readonly Interval[]>;
}

export const noGtids: GtidSet = { intervals: new Map() };

/** Largest transaction number: 2^63 - 2, MySQL's GNO_END - 1. */
const largestNumber = 2n ** 63n - 2n;
const uuidPattern = /^\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?$/i;
const tagPattern = /^[a-z_][a-z0-9_]{0,31}$/i;
const intervalPattern = /^(\d+)(?:\s*-\s*(\d+))?$/;

/** Reads what `@@gtid_executed`, SHOW REPLICA STATUS, a dump or a person writes: any whitespace, case and order. */
export function parseGtidSet(text: string): GtidSet {
  const found = new Map<string, Interval[]>();
  for (const group of text.split(",").map((part) => part.trim())) {
    if (group !== "") parseGroup(group, found, text);
  }
  return normalise(found);
}

export function isGtidSet(text: string): boolean {
  try {
    parseGtidSet(text);
    return true;
  } catch (error) {
    if (error instanceof SluiceError) return false;
    throw error;
  }
}

/** One line, no spaces: `uuid:1-5:7:tag:1-3,uuid:1`. The empty set is the empty text. */
export function renderGtidSet(set: GtidSet): string {
  const groups = new Map<string, string>();
  for (const [key, intervals] of set.intervals) {
    const [uuid = "", tag] = key.split(":");
    const ranges = intervals.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
    groups.set(uuid, [groups.get(uuid) ?? uuid, ...(tag === undefined ? [] : [tag]), ...ranges].join(":"));
  }
  return [...groups.values()].join(",");
}

export const isEmptyGtidSet = (set: GtidSet): boolean => set.intervals.size === 0;

/** Whether every transaction of `part` is in `whole`. */
export const containsGtidSet = (whole: GtidSet, part: GtidSet): boolean => isEmptyGtidSet(subtractGtidSet(part, whole));

/** How many transactions. */
export function countGtids(set: GtidSet): bigint {
  let count = 0n;
  for (const intervals of set.intervals.values()) {
    for (const { first, last } of intervals) count += last - first + 1n;
  }
  return count;
}

export function uniteGtidSets(...sets: readonly GtidSet[]): GtidSet {
  const all = new Map<string, Interval[]>();
  for (const set of sets) {
    for (const [key, intervals] of set.intervals) addIntervals(all, key, intervals);
  }
  return normalise(all);
}

export function subtractGtidSet(from: GtidSet, what: GtidSet): GtidSet {
  return mapIntervals(from, (key, intervals) => subtractIntervals(intervals, what.intervals.get(key) ?? []));
}

/** `uuid:1-5:tag:1-3`; a tag counts for the intervals after it. */
function parseGroup(group: string, found: Map<string, Interval[]>, whole: string): void {
  const [head = "", ...items] = group.split(":").map((item) => item.trim());
  const uuid = uuidPattern.exec(head)?.slice(1).join("-").toLowerCase();
  if (uuid === undefined) throw unreadable(whole, `"${head}" is not a server uuid`);
  if (items.length === 0) throw unreadable(whole, `"${group}" names no transaction`);
  let key = uuid;
  for (const item of items) {
    if (tagPattern.test(item)) key = `${uuid}:${item.toLowerCase()}`;
    else addIntervals(found, key, parseInterval(item, whole));
  }
}

function addIntervals(sets: Map<string, Interval[]>, key: string, intervals: readonly Interval[]): void {
  const known = sets.get(key);
  if (known === undefined) sets.set(key, [...intervals]);
  else for (const interval of intervals) known.push(interval);
}

/** `5-3` is an empty interval, as the server reads it. */
function parseInterval(item: string, whole: string): Interval[] {
  const match = intervalPattern.exec(item);
  if (!match) throw unreadable(whole, `"${item}" is neither a number, a range nor a tag`);
  const first = BigInt(match[1] ?? "");
  const last = BigInt(match[2] ?? match[1] ?? "");
  if (first < 1n || last > largestNumber) throw unreadable(whole, `"${item}" is out of range`);
  return first <= last ? [{ first, last }] : [];
}

function unreadable(text: string, why: string): SluiceError {
  const shown = text.length > 200 ? `${text.slice(0, 200)}...` : text;
  return new SluiceError({
    code: "GTID_UNREADABLE",
    object: "GTID set",
    what: `cannot be read: ${why}`,
    found: JSON.stringify(shown),
    needs: "for example 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:8,... as @@GLOBAL.gtid_executed prints it",
  });
}

function normalise(found: ReadonlyMap<string, readonly Interval[]>): GtidSet {
  const sorted = [...found].sort(([one], [other]) => (one < other ? -1 : 1));
  const merged = sorted.map(([key, intervals]) => [key, mergeIntervals(intervals)] as const);
  return { intervals: new Map(merged.filter(([, intervals]) => intervals.length > 0)) };
}

function mapIntervals(
  set: GtidSet,
  change: (key: string, intervals: readonly Interval[]) => readonly Interval[],
): GtidSet {
  const changed = [...set.intervals].map(([key, intervals]) => [key, change(key, intervals)] as const);
  return { intervals: new Map(changed.filter(([, intervals]) => intervals.length > 0)) };
}

function mergeIntervals(intervals: readonly Interval[]): readonly Interval[] {
  const merged: Interval[] = [];
  for (const next of [...intervals].sort((one, other) => (one.first < other.first ? -1 : 1))) {
    const previous = merged.at(-1);
    if (previous === undefined || next.first > previous.last + 1n) merged.push(next);
    else if (next.last > previous.last) merged[merged.length - 1] = { first: previous.first, last: next.last };
  }
  return merged;
}

function subtractIntervals(from: readonly Interval[], what: readonly Interval[]): readonly Interval[] {
  const rest: Interval[] = [];
  let next = 0;
  for (const { first, last } of from) {
    let start = first;
    while ((what[next]?.last ?? start) < start) next += 1;
    for (let hole = next; ; hole += 1) {
      const cut = what[hole];
      if (cut === undefined || cut.first > last) break;
      if (cut.first > start) rest.push({ first: start, last: cut.first - 1n });
      if (cut.last >= start) start = cut.last + 1n;
    }
    if (start <= last) rest.push({ first: start, last });
  }
  return rest;
}
