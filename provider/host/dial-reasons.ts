export const forwardsForbidden = "sshd there does not allow forwards";

/** Why sshd, the system or the driver could not open a connection, in words that read on from `cannot reach ...:`. */
const reasons: readonly (readonly [pattern: RegExp, words: string])[] = [
  [/name resolution|name or service not known|ENOTFOUND|EAI_|getaddrinfo/i, "the name does not resolve there"],
  [/no route to host|network is unreachable|EHOSTUNREACH|ENETUNREACH/i, "there is no route to it from there"],
  [/connection refused|ECONNREFUSED/i, "nothing listens on that port"],
  [/administratively prohibited|does not allow forwards/i, forwardsForbidden],
  [/timed? ?out|did not answer within/i, "it does not answer"],
];

/** Undefined if the text names none of them. */
export const dialReason = (said: string): string | undefined => reasons.find(([pattern]) => pattern.test(said))?.[1];
