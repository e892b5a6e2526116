import { renderEndpoint } from "../../endpoint";
import { SluiceError, wordsOf } from "../../errors";
import { dialReason, forwardsForbidden } from "../dial-reasons";
import type { DialTarget } from "../host";

/** The system's name for an error, `ENOENT`; empty for other errors. */
export const systemCodeOf = (error: unknown): string =>
  isObject(error) && "code" in error && typeof error.code === "string" ? error.code : "";

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Refused, no route, no such name and silence need different repairs. */
export function hostUnreachable(object: string, address: string, port: number, error: unknown): SluiceError {
  const make = (what: string, fix: string) =>
    new SluiceError({ code: "HOST_UNREACHABLE", object, what, fix, detail: wordsOf(error) });
  if (/before handshake|closed the connection/.test(wordsOf(error))) {
    return make(
      "the host closed the connection before the login",
      "read the log of sshd on the host: too many at once (MaxStartups), or failed logins before (PerSourcePenalties)",
    );
  }
  switch (systemCodeOf(error)) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_FAIL":
      return make(`the name ${address} cannot be resolved`, "check `address` and the name server of this machine");
    case "ECONNREFUSED":
      return make(`nothing listens on port ${port}, the connection was refused`, "start sshd there, or correct `port`");
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return make("there is no route to the host", "check that the host is on, and the network between");
    case "ETIMEDOUT":
      return make(`no answer from port ${port}`, "check that the host is on, and the firewalls between");
    case "ECONNRESET":
    case "EPIPE":
      return make("the connection was cut before the login", "read the log of sshd on the host");
    default:
      return make("no ssh connection could be made", "try `ssh -v` to the same address");
  }
}

/** Which of the two hops failed: to the jump host, or from there. `jump`: `root@bastion:22`. */
export function hopFailed(object: string, jump: string, { problem }: SluiceError): SluiceError {
  if (problem.code !== "HOST_DIAL_REFUSED") {
    const what = `its jump host ${jump} cannot be used: ${problem.what}`;
    return new SluiceError({
      ...problem,
      object,
      what,
      ...(problem.fix !== undefined && { fix: `for \`host.proxy\`: ${problem.fix}` }),
    });
  }
  const reason = dialReason(`${problem.what} ${problem.detail ?? ""}`);
  return new SluiceError({
    code: "HOST_UNREACHABLE",
    object,
    what: `the jump host ${jump} cannot reach it${reason === undefined ? "" : `: ${reason}`}`,
    fix:
      reason === forwardsForbidden
        ? "set AllowTcpForwarding yes in sshd_config on the jump host"
        : "check `host.address` and `host.port` as seen from the jump host",
    detail: problem.detail ?? "",
  });
}

export function connectTimedOut(object: string, connectSeconds: number, stage: string): SluiceError {
  return new SluiceError({
    code: "HOST_UNREACHABLE",
    object,
    what: `no login within ${connectSeconds} s, ${stage}`,
    fix: "check that the host is on, and the firewalls between; connectSeconds raises the limit",
  });
}

export interface RefusedLogin {
  readonly user: string;
  readonly tried: readonly string[];
  readonly offered: readonly string[];
  readonly notes: readonly string[];
}

export function loginRefused(object: string, { user, tried, offered, notes }: RefusedLogin): SluiceError {
  return new SluiceError({
    code: "HOST_LOGIN_REFUSED",
    object,
    what: `the login as ${user} was refused`,
    found: `tried ${tried.join(", then ")}`,
    needs:
      offered.length === 0 ? "a method the host accepts" : `one of the methods the host accepts: ${offered.join(", ")}`,
    fix: `check user and key; the log of sshd on the host names the reason (journalctl -u ssh)`,
    ...(notes.length === 0 ? {} : { detail: notes.join("\n") }),
  });
}

export function credentialUnusable(object: string, what: string, fix: string): SluiceError {
  return new SluiceError({ code: "HOST_LOGIN_REFUSED", object, what, fix });
}

/** ssh2's errors about a private key, with what the reader must change. */
export function privateKeyUnusable(object: string, privateKey: string, why: string): SluiceError {
  if (/no passphrase given/i.test(why)) {
    return credentialUnusable(object, "privateKey is encrypted and no passphrase is declared", "set `passphrase`");
  }
  if (/integrity check failed|bad decrypt|bad passphrase/i.test(why)) {
    return credentialUnusable(object, "the passphrase does not open privateKey", "correct `passphrase`");
  }
  if (!privateKey.includes("\n") && /^[~./]/.test(privateKey.trim())) {
    return credentialUnusable(
      object,
      "privateKey holds a path, not a key",
      'read the file: readFileSync(path, "utf8")',
    );
  }
  if (/^(ssh|ecdsa)-/.test(privateKey.trim())) {
    return credentialUnusable(
      object,
      "privateKey holds a public key",
      "declare the text of the other file, the one without .pub",
    );
  }
  return credentialUnusable(
    object,
    "privateKey cannot be read as a private key",
    "declare the whole text of the key file, with its BEGIN and END lines and line breaks",
  );
}

export const renderTarget = (target: DialTarget): string =>
  "socketPath" in target ? target.socketPath : renderEndpoint(target);

/** sshd gives a reason for addresses only; a problem with a socket is found by looking at it (files.ts). */
export function dialRefused(object: string, target: DialTarget, error: unknown): SluiceError {
  const isForbidden = reasonOf(error) === administrativelyProhibited;
  return new SluiceError({
    code: "HOST_DIAL_REFUSED",
    object,
    what: `cannot open ${renderTarget(target)}${isForbidden ? ", sshd does not allow forwards" : ""}`,
    needs: "a server that listens there, and can be reached from the host",
    ...(isForbidden
      ? { found: "sshd does not allow forwards", fix: "set AllowTcpForwarding yes in sshd_config on the host" }
      : {}),
    detail: wordsOf(error),
  });
}

const administrativelyProhibited = 1; // RFC 4254 5.1, SSH_OPEN_ADMINISTRATIVELY_PROHIBITED

export const reasonOf = (error: unknown): unknown => (isObject(error) && "reason" in error ? error.reason : undefined);

export function sessionsRefused(object: string, waitedSeconds: number, error: unknown): SluiceError {
  return new SluiceError({
    code: "HOST_LOGIN_REFUSED",
    object,
    what: `the login worked, but the host opened no session within ${waitedSeconds} s`,
    needs: "MaxSessions of at least 2 in sshd_config (one for the locks, one for commands; sshd's default is 10)",
    detail: wordsOf(error),
  });
}

export function connectionLost(object: string, why: string): SluiceError {
  return new SluiceError({
    code: "HOST_CONNECTION_LOST",
    object,
    what: "the connection was cut and could not be restored",
    detail: why,
  });
}
