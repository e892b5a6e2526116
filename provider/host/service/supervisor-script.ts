import { quoteWord } from "../command";
import type { Restart, Service, ServicePlace } from "./declaration";
import { periodOf, type Timer } from "./timer";

/** When a timed service was due last and was run for it. */
export const stampOf = ({ files }: Pick<ServicePlace, "files">): string => `${files.state}.due`;

/**
 * Does what systemd does elsewhere: starts the program again as its restart policy says, or runs it when its timer says; passes
 * TERM on; leaves a line about what runs or how it ended.
 */
export function renderSupervisor(service: Service): string {
  const { owner, user, files, environment = {}, restart, timer } = service;
  return `#!/bin/sh
# Made by sluice for ${owner}. Change the declaration, not this file.
# Runs as ${user}: it writes to directories of that user.
state=${quoteWord(files.state)}
birth() { if [ -e /proc/self/stat ]; then sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f20; else ps -o lstart= -p "$1" | tr ' ' _; fi; }
note() { rm -f "$state.new"; echo "$$ $(birth $$) $1 $2" >"$state.new" && mv -f "$state.new" "$state"; }
umask 027
${Object.entries(environment)
  .map(([name, value]) => `${name}=${quoteWord(value)}; export ${name}\n`)
  .join("")}${timer === undefined ? renderLoop(service, restart) : renderTimedLoop(service, timer)}note ended "$code"
`;
}

const passTermOn = `trap 'stopping=yes; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT HUP
while [ -z "$stopping" ]; do
`;

const renderLoop = (service: Service, restart: Restart | undefined): string =>
  restart === undefined
    ? `child=; stopping=; code=0\n${passTermOn}${renderRun(service)}  break\ndone\n`
    : `${restart.toldIn}=$$; export ${restart.toldIn}
child=; stopping=; crashes=0; since=$(date +%s)
${passTermOn}${renderRun(service)}${restart.wantedBy.map((code) => `  [ "$code" -eq ${code} ] && continue\n`).join("")}\
  case $code in ${[0, ...restart.uselessAfter].join(" | ")}) break ;; esac
  now=$(date +%s)
  [ $((now - since)) -gt ${restart.crashLimit.withinSeconds} ] && { crashes=0; since=$now; }
  crashes=$((crashes + 1))
  [ $crashes -ge ${restart.crashLimit.times} ] && break
done
`;

/** Runs the program once and waits for its end. */
const renderRun = ({ removesFirst, command, files }: Service): string => `${
  removesFirst === undefined ? "" : `  rm -f ${removesFirst.paths.map(quoteWord).join(" ")}\n`
}  ${command.map(quoteWord).join(" ")} </dev/null >>${quoteWord(files.output)} 2>&1 &
  child=$!
  note running "$child"
${waitForChild}`;

const waitForChild = `  # A signal ends wait before the child ends.
  while :; do
    wait "$child"; code=$?
    kill -0 "$child" 2>/dev/null || break
  done
`;

const lookEverySeconds = 60; // a machine that was asleep, or whose clock was set, is late by no more than this

/** As a persistent timer of systemd: a run counts when it begins, and a timer that never ran does not begin with a missed one. */
function renderTimedLoop(service: Service, timer: Timer): string {
  const { periodSeconds, offsetSeconds } = periodOf(timer);
  return `child=; stopping=; code=0
last=$(cat "$state.due" 2>/dev/null)
case $last in *[!0-9]*) last= ;; esac
remember() { last=$due; rm -f "$state.due.new"; echo "$due" >"$state.due.new" && mv -f "$state.due.new" "$state.due"; }
note waiting "$code"
${passTermOn}  now=$(date +%s); due=0; rest=${lookEverySeconds}
  for offset in ${offsetSeconds.join(" ")}; do
    at=$(((now - offset) / ${periodSeconds} * ${periodSeconds} + offset))
    [ "$at" -le "$due" ] || due=$at
    next=$((at + ${periodSeconds} - now)); [ "$next" -ge "$rest" ] || rest=$next
  done
  if [ -z "$last" ]; then
    remember
  elif [ "$due" -gt "$last" ]; then
    remember
${renderRun(service)}    note waiting "$code"
  else
    sleep "$rest" & child=$!
    wait "$child"
  fi
done
`;
}
