import type { Difference } from "../../plan/plan";
import { looseNames, parseOptionFile, readSettings } from "../options/file";
import { isDrifted, isSameValue, needsRestart, type Adjusted } from "../options/variables";
import type { Changer } from "../../host/trust";
import type { InitFile } from "./init-file";
import type { Instance } from "./instance";
import { managementAccount } from "./layout";
import { groupsOf } from "./options";

/** The texts that configure a server, as declared. */
export interface Configuration {
  readonly optionText: string;
  readonly unitText: string;
  readonly init: InitFile;
}

/** The same as it was found. */
export interface SeenConfiguration {
  readonly optionText: string | null;
  readonly unitText: string | null;
  readonly init: InitFile | null;
  /** The server runs, and does not let its management account in. */
  readonly refusesUs: boolean;
  /** Paths of root's that another user can change. Absent in a state of an earlier version. */
  readonly loose?: readonly Changer[] | undefined;
}

/** The text of an option that is not set: the server's own value. */
export const byDefault = "default";

type Group = Pick<Instance, "binaries">;

export const differences = (instance: Group, should: Configuration, is: SeenConfiguration): Difference[] => [
  ...optionDifferences(instance, should.optionText, is.optionText ?? ""),
  ...(should.unitText === is.unitText ? [] : [{ property: unit, from: "as it was", to: "as declared" }]),
  ...accountDifferences(should.init, is),
  ...(is.loose ?? []).map(({ who, step }) => ({ property: `${ownerOf}${step}`, from: who, to: "root" })),
];

/** Whether a running server takes it from its files only, at a start. */
export const isStartOnly = ({ property }: Difference): boolean =>
  !property.startsWith(ownerOf) && isTakenAtStart(property);

const isTakenAtStart = (property: string): boolean =>
  property === unit || property === account || isReadAtStart(property);

/**
 * Changed options that can be set on a running server. All of them are set, whatever the server runs with now: a
 * preview knows the running values only of options that were declared before, and `up` runs what the preview printed.
 */
export const settable = (because: readonly Difference[]): Difference[] =>
  because.filter(
    (one) =>
      one.to !== byDefault && one.property !== initFile && !one.property.startsWith(ownerOf) && !isStartOnly(one),
  );

const initFile = "init file";
const ownerOf = "owner of ";
const unit = "unit";
const account = "management account";
const loosePrefix = "loose_";

/**
 * server_id can be set while the server runs, but running channels keep the old one until they start again. A loose option may
 * be one that this server does not know, and then no SET does either (error 1193): a start takes it in any case.
 */
const isReadAtStart = (option: string): boolean =>
  option === "server_id" || option.startsWith(loosePrefix) || needsRestart(option);

function optionDifferences(instance: Group, shouldText: string, isText: string): Difference[] {
  const [should, is] = [settingsOf(instance, shouldText), settingsOf(instance, isText)];
  const names = [...new Set([...should.keys(), ...is.keys()])];
  return names
    .filter(
      (name) => should.has(name) !== is.has(name) || !isSameValue(name, should.get(name)?.value, is.get(name)?.value),
    )
    .map((name) => ({
      property: `${(should.get(name) ?? is.get(name))?.isLoose === true ? loosePrefix : ""}${name}`,
      from: is.get(name)?.value ?? byDefault,
      to: should.get(name)?.value ?? byDefault,
    }));
}

/**
 * The management account is a unix user, and the init file makes it so at a start: another user of the host, and one whom the
 * running server refuses, can log in after a restart.
 */
function accountDifferences(should: InitFile, { init: is, refusesUs }: SeenConfiguration): Difference[] {
  // auth_socket lets in the unix user with the account's own name, and the one in its AS clause.
  const isLetIn = should.osUser === managementAccount;
  if (is !== null && is.osUser !== should.osUser && !isLetIn)
    return [{ property: account, from: userWords(is), to: userWords(should) }];
  if (refusesUs) return [{ property: account, from: "refused by the server", to: userWords(should) }];
  return is?.digest === should.digest ? [] : [{ property: initFile, from: "as it was", to: "as declared" }];
}

const userWords = ({ osUser }: InitFile): string => (osUser === null ? "by password" : `unix user ${osUser}`);

/** A running server may differ from its option file: after SET GLOBAL, or because the file has just changed. */
export function runningDifferences(
  instance: Group,
  optionText: string,
  variables: Readonly<Record<string, string>>,
  adjusted: Readonly<Record<string, Adjusted>> | undefined,
): Difference[] {
  const should = settingsOf(instance, optionText);
  return Object.entries(variables)
    .filter(
      ([name, value]) =>
        should.has(name) && name !== "server_id" && isDrifted(name, should.get(name)?.value, value, adjusted),
    )
    .map(([name, value]) => ({ property: name, from: value, to: should.get(name)?.value ?? "" }));
}

interface Setting {
  /** As one text; a name without a value is ON. */
  readonly value: string;
  readonly isLoose: boolean;
}

function settingsOf(instance: Group, text: string): ReadonlyMap<string, Setting> {
  const [file, groups] = [parseOptionFile(text), groupsOf(instance)];
  const loose = looseNames(file, groups);
  return new Map(
    [...readSettings(file, groups)].map(([name, values]) => [
      name,
      { value: values.map((value) => value ?? "ON").join(","), isLoose: loose.has(name) },
    ]),
  );
}
