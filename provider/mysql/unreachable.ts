import { isProblem, SluiceError } from "../errors";

/** Why a source cannot be reached, for a person who can do something about it. */
const reasons: readonly (readonly [pattern: RegExp, words: string])[] = [
  [/name resolution|name or service not known|ENOTFOUND|EAI_|getaddrinfo/i, "the name does not resolve there"],
  [/no route to host|network is unreachable|EHOSTUNREACH|ENETUNREACH/i, "there is no route to it from there"],
  [/connection refused|ECONNREFUSED/i, "nothing listens on that port"],
  [/administratively prohibited|does not allow forwards/i, "sshd there does not allow forwards"],
  [/timed? ?out|did not answer within/i, "it does not answer"],
];

export const reasonWords = (said: string): string => reasons.find(([pattern]) => pattern.test(said))?.[1] ?? said;

export interface Unreached {
  /** What needs the source: `staging database shop`. */
  readonly object: string;
  /** `db-1:3306` */
  readonly endpoint: string;
  /** The host that the source was asked from. */
  readonly through: string;
}

/** The same error in the words of the object that needs the source; other errors as they are. */
export function sayUnreached(error: SluiceError, { object, endpoint, through }: Unreached): SluiceError {
  if (!isProblem(error, "SOURCE_UNREACHABLE")) return error;
  const { problem } = error;
  const why = reasonWords([problem.found, problem.what].filter((text) => text !== undefined).join(" "));
  const known = reasons.some(([, words]) => words === why);
  return new SluiceError({
    ...problem,
    object,
    what: `cannot reach its source ${endpoint} from ${through}: ${known ? why : problem.what}`,
    fix: known
      ? `check \`source.address\` and \`source.port\` as seen from ${through}`
      : (problem.fix ?? "check that mysqld runs there"),
  });
}
