import { SluiceError } from "../errors";
import type { Command } from "./command";
import type { KnownFacts } from "./facts";

export function commandFailed(host: string, brief: string, how: string, words: string): SluiceError {
  return new SluiceError({
    code: "COMMAND_FAILED",
    object: `host ${host}`,
    what: `\`${brief}\` ${how}`,
    detail: lastLines(words),
  });
}

export function programMissing(host: string, command: Command, words: string): SluiceError {
  return new SluiceError({
    code: "HOST_LACKS_PROGRAM",
    object: `host ${host}`,
    what: `a program of \`${briefly(command)}\` is not installed`,
    detail: lastLines(words),
  });
}

export function tookTooLong(host: string, brief: string, withinSeconds: number, words: string): SluiceError {
  return new SluiceError({
    code: "TIMEOUT_REACHED",
    object: `host ${host}`,
    what: `\`${brief}\` was ended because it took longer than ${withinSeconds} s`,
    detail: lastLines(words),
  });
}

export function connectionLost(host: string, brief: string, why: string): SluiceError {
  return new SluiceError({
    code: "HOST_CONNECTION_LOST",
    object: `host ${host}`,
    what: `the connection was cut while \`${brief}\` ran, its result is unknown`,
    fix: "run the command again: every step first checks what is already done",
    detail: why,
  });
}

export function sudoRefused(host: string, command: Command, facts: KnownFacts): SluiceError {
  return new SluiceError({
    code: "HOST_SUDO_REFUSED",
    object: `host ${host}`,
    what: `user ${facts.user} may not become root, which \`${briefly(command)}\` needs`,
    found: facts.rootRefusal,
    needs: "root itself, or sudo without a password",
    fix: `on the host: echo '${facts.user} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/${facts.user.replaceAll(".", "_")}`,
  });
}

const detailLines = 20; // what a person reads; colmena shows as many
const briefLength = 120; // one line of a terminal: style.md 5.8, first line under 120 characters

export const lastLines = (words: string): string => words.trimEnd().split("\n").slice(-detailLines).join("\n");

export function briefly(command: Command): string {
  const line = command.text.replaceAll(/\s+/g, " ").trim();
  return line.length <= briefLength ? line : `${line.slice(0, briefLength - 1)}…`;
}
