import { quoteWord } from "../../host/command";
import type { Instance } from "./instance";

/** What mysqld ends with after RESTART and after CLONE, when it was told that somebody will start it again. */
export const restartExitCode = 16; // MYSQLD_RESTART_EXIT, sql/sql_const.h
/** A wrong option, a missing file, a corrupt dictionary: starting again would end the same way. */
export const abortExitCode = 1; // MYSQLD_ABORT_EXIT, sql/sql_const.h

/** A server that crashes more often is left down, for a person to look at. */
export const crashLimit = { times: 5, withinSeconds: 600 }; // five recoveries of a big buffer pool take minutes, systemd's 10 s would never count them

type UnitParts = Pick<Instance, "owner" | "layout" | "runtime" | "binaries" | "memoryMaxBytes">;

/** What keeps mysqld running here: a systemd unit, or a shell script where there is no systemd. */
export const renderUnit = (instance: UnitParts): string =>
  instance.runtime.supervisor === "systemd" ? renderSystemdUnit(instance) : renderSupervisor(instance);

/** Start and stop have no limit of their own: recovery and flushing take what they take, and we watch. */
function renderSystemdUnit(instance: UnitParts): string {
  const { layout, runtime, binaries, owner, memoryMaxBytes } = instance;
  const writable = [layout.data, layout.run, layout.log, layout.tmp];
  const outside = [layout.directory, binaries.mysqld];
  return `# Made by sluice for ${owner}. Change the declaration, not this file.
[Unit]
Description=MySQL server in ${escapeSpecifiers(layout.directory)} (sluice, ${escapeSpecifiers(owner)})
Wants=network-online.target
After=network-online.target
RequiresMountsFor=${quotePath(layout.data)}
StartLimitIntervalSec=${crashLimit.withinSeconds}
StartLimitBurst=${crashLimit.times}

[Service]
Type=${binaries.notifies ? "notify" : "exec"}
User=${runtime.osUser}
# A lock of before a crash names a process number that anybody may have now; mysqld would refuse to start.
ExecStartPre=/bin/rm -f ${quotePath(`${layout.socket}.lock`)}
ExecStart=${quotePath(binaries.mysqld)} ${quotePath(`--defaults-file=${layout.optionFile}`)}
# RESTART and CLONE end mysqld with ${restartExitCode} and want it started again.
Environment=MYSQLD_PARENT_PID=1
Restart=on-failure
RestartForceExitStatus=${restartExitCode}
RestartPreventExitStatus=${abortExitCode}
TimeoutStartSec=infinity
TimeoutStopSec=infinity
SendSIGKILL=no
# The hard limit systemd itself uses; mysqld takes what its tables and connections need.
LimitNOFILE=524288
${memoryMaxBytes === undefined ? "" : `MemoryMax=${memoryMaxBytes}\n`}UMask=0027
ProtectSystem=strict
ReadWritePaths=${writable.map(quotePath).join(" ")}
${outside.some(isBelow("/home", "/root", "/run/user")) ? "" : "ProtectHome=yes\n"}${outside.some(isBelow("/tmp", "/var/tmp")) ? "" : "PrivateTmp=yes\n"}PrivateDevices=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes

[Install]
WantedBy=multi-user.target
`;
}

/** `%` begins a specifier in every value of a unit. */
const escapeSpecifiers = (text: string): string => text.replaceAll("%", "%%");

/** Also `$` in command lines begins a variable, except that paths and settings elsewhere keep it: systemd.service(5). */
function quotePath(text: string): string {
  const escaped = escapeSpecifiers(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return /[\s"'\\;]/.test(text) ? `"${escaped}"` : escaped;
}

const isBelow =
  (...parents: readonly string[]) =>
  (path: string): boolean =>
    parents.some((parent) => path === parent || path.startsWith(`${parent}/`));

/**
 * The same promises where there is no systemd: a shell that starts mysqld again after RESTART (${restartExitCode}) and after
 * a crash, with the same limit, passes TERM on, and leaves a line about how it ended.
 */
function renderSupervisor(instance: UnitParts): string {
  const { layout, binaries, owner, runtime } = instance;
  return `#!/bin/sh
# Made by sluice for ${owner}. Change the declaration, not this file.
# Runs as ${runtime.osUser}: it writes to directories of that user.
state=${quoteWord(layout.supervisorState)}
birth() { if [ -e /proc/self/stat ]; then sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f20; else ps -o lstart= -p "$1" | tr ' ' _; fi; }
note() { rm -f "$state.new"; echo "$$ $(birth $$) $1 $2" >"$state.new" && mv -f "$state.new" "$state"; }
umask 027
MYSQLD_PARENT_PID=$$; export MYSQLD_PARENT_PID
child=; stopping=; crashes=0; since=$(date +%s)
trap 'stopping=yes; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT HUP
while [ -z "$stopping" ]; do
  rm -f ${quoteWord(`${layout.socket}.lock`)}
  ${quoteWord(binaries.mysqld)} ${quoteWord(`--defaults-file=${layout.optionFile}`)} </dev/null >>${quoteWord(layout.startLog)} 2>&1 &
  child=$!
  note running "$child"
  # A signal ends wait before the child ends.
  while :; do
    wait "$child"; code=$?
    kill -0 "$child" 2>/dev/null || break
  done
  [ "$code" -eq ${restartExitCode} ] && continue
  case $code in 0 | ${abortExitCode}) break ;; esac
  now=$(date +%s)
  [ $((now - since)) -gt ${crashLimit.withinSeconds} ] && { crashes=0; since=$now; }
  crashes=$((crashes + 1))
  [ $crashes -ge ${crashLimit.times} ] && break
done
note ended "$code"
`;
}
