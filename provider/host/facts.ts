import { SluiceError } from "../errors";
import type { HostFacts } from "./host";

/** Printed first. A login shell that is not a POSIX shell changes it; one that prints a greeting puts text before it. */
const greeting = String.raw`sluice 'probe' \\ $0!`;

/** Reads the machine in one go. `sudo` is tried only where it is needed and allowed. */
export function factsScript(sudoAllowed: boolean): string {
  const sudo = sudoAllowed
    ? `if [ "$(id -u)" = 0 ]; then echo root=yes; elif words=$(sudo -n -- sh -c : 2>&1); then echo root=yes; else echo "root=$words" | tr '\\n' ' '; echo; fi`
    : `if [ "$(id -u)" = 0 ]; then echo root=yes; else echo "root=sudo is turned off in the declaration of the host"; fi`;
  return [
    `printf '%s\\n' '${greeting.replaceAll("'", `'\\''`)}'`,
    'echo "user=$(id -un)"',
    'echo "uid=$(id -u)"',
    'echo "kernel=$(uname -sr)"',
    'echo "cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)"',
    'echo "memory=$(( $(getconf _PHYS_PAGES 2>/dev/null || echo 0) * $(getconf PAGESIZE) ))"',
    "if [ -d /run/systemd/system ]; then echo systemd=yes; else echo systemd=no; fi",
    sudo,
  ].join("\n");
}

export interface KnownFacts extends HostFacts {
  /** Why the user cannot become root, in sudo's words. Empty if it can. */
  readonly rootRefusal: string;
}

export function parseFacts(name: string, address: string, output: string, errorOutput: string): KnownFacts {
  const [first, ...rest] = output.split("\n");
  if (first !== greeting) throw unusableShell(name, output, errorOutput);
  const values = new Map(
    rest.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1).trim()]),
  );
  const value = (key: string) => values.get(key) ?? "";
  return {
    name: address,
    user: value("user"),
    uid: Number(value("uid")),
    canBecomeRoot: value("root") === "yes",
    rootRefusal: value("root") === "yes" ? "" : value("root"),
    hasSystemd: value("systemd") === "yes",
    kernel: value("kernel"),
    cores: Number(value("cores")),
    memoryBytes: Number(value("memory")),
  };
}

function unusableShell(name: string, output: string, errorOutput: string): SluiceError {
  const seen = `${output}${errorOutput}`.trim().split("\n").slice(0, 5).join("\n");
  const noisy = output.includes(`\n${greeting}\n`);
  return new SluiceError({
    code: "HOST_LOGIN_REFUSED",
    object: `host ${name}`,
    what: noisy
      ? "the login shell of the user prints text before every command"
      : "the login shell of the user does not run commands as a POSIX shell does",
    found: seen === "" ? "no output at all" : seen,
    needs: "a login shell like /bin/sh or /bin/bash that prints no text of its own",
    fix: noisy
      ? "end ~/.bashrc early for sessions without a terminal: case $- in *i*) ;; *) return ;; esac"
      : "usermod --shell /bin/sh USER on the host",
  });
}
