import { editDistance, nearest } from "../../schema/words";
import { normaliseOption } from "./file";
import { optionNames } from "./names";

const known = new Set(optionNames);

/**
 * The option that was meant, where mysqld would not know the written one. A name that is not near a known one may be an option of a
 * plugin or of another server, a name with a dot belongs to a component, and mysqld completes the beginning of a name: all of them
 * pass, and so does a `loose_` option, which mysqld ignores if it does not know it.
 */
export function meantOption(written: string): string | undefined {
  const { name, loose } = normaliseOption(written);
  const plain = written.trim().replace(/^--/, "").replaceAll("-", "_").toLowerCase();
  if (loose || name.includes(".") || [name, plain].some((one) => known.has(one))) return undefined;
  if (optionNames.some((one) => one.startsWith(plain))) return undefined;
  return nearKnown(plain) ?? nearKnown(name);
}

/** `skip_` is a part of some names and a prefix of others: the written form comes first. */
function nearKnown(name: string): string | undefined {
  const most = name.length < shortName ? 1 : 2;
  const candidates = optionNames
    .map((one) => ({ one, edits: editDistance(name, one, most) }))
    .filter(({ edits }) => edits <= most)
    .sort((a, b) => a.edits - b.edits);
  return candidates[0]?.one;
}

const shortName = 8; // letters: two edits of a shorter name make another word of it

/** The known option that is most like one that mysqld has refused. */
export const suggestOption = (refused: string): string | undefined => {
  const { name } = normaliseOption(refused);
  return known.has(name) ? undefined : nearest(name, optionNames);
};
