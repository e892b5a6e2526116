import { asUserFunction, Command, sh } from "../command";
import type { ServicePlace, Supervision } from "./declaration";
import { renderSupervisor, stampOf } from "./supervisor-script";

/** Keeps a service running if there is no systemd: a shell script in a session of its own, controlled by signals. */
export const supervisor: Supervision = {
  render: (service) => [{ path: service.files.script, mode: 0o755, text: renderSupervisor(service) }],
  reload: sh`:`,
  // It writes to directories of the service's user.
  startsAs: ({ asRoot, user }) => (asRoot ? { asUser: user } : {}),
  /** In a session of its own, with none of our descriptors: a lock that it inherits would be held for ever. */
  start: (place) => {
    const { script, state, output } = place.files;
    return sh`
    ${supervisorFunctions({ ...place, asRoot: false })}
    readState; if alive; then exit 0; fi
    if command -v setsid >/dev/null; then session=setsid; else session='perl -MPOSIX -e POSIX::setsid;exec(@ARGV)'; fi
    rm -f -- ${state} ${output}
    $session sh ${script} </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
    tries=0; while [ ! -e ${state} ] && [ $tries -lt 50 ]; do tries=$((tries + 1)); sleep 0.1; done`;
  },
  stop: (place) => signal(place, "TERM"),
  kill: (place) => signal(place, "KILL"),
  look: (place) => sh`
    ${supervisorFunctions(place)}
    pid=0; readState
    ${place.timer === undefined ? sh`` : sh`if supervises; then echo TimerState=active; fi`}
    if [ "$what" = running ] && alive; then pid=$value; echo "MainPID=$pid"; echo ActiveState=active
    elif [ "$what" = ended ] || { [ "$what" = waiting ] && supervises; }; then echo ActiveState=inactive; echo "ExecMainStatus=$value"
    elif [ -n "$supervisor" ]; then echo ActiveState=failed; echo Result=lost; fi`,
  output: ({ files }, lines) => sh`tail -n ${lines} ${files.output} 2>/dev/null; exit 0`,
  remove: (place) => sh`
    ${asUserOf(place)}
    # The user may be absent or have no permission to enter the directory; the caller that removes the directory removes these files.
    asUser rm -f -- ${place.files.state} ${stampOf(place)} ${place.files.output} 2>/dev/null
    rm -f -- ${place.files.script}`,
};

const asUserOf = ({ asRoot, user }: Pick<ServicePlace, "asRoot" | "user">): Command =>
  asRoot ? asUserFunction(user) : sh`asUser() { "$@"; }`;

const birthFunction = sh`birth() { if [ -e /proc/self/stat ]; then sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; else ps -o lstart= -p "$1" | tr ' ' _; fi; }`;

/**
 * `readState` reads the line of the state file: the supervisor's process, when that began, and `running PID`, `waiting CODE` or
 * `ended CODE`. The file belongs to the service's user, so that user reads it, and the numbers in it count only if the process is
 * a supervisor or a process of this service. `serves`: the process outlived its supervisor, which was killed; it still works.
 */
export const supervisorFunctions = ({ asRoot, user, files, knownBy }: ServicePlace): Command => sh`
    ${asUserOf({ asRoot, user })}
    ${birthFunction}
    argsOf() { ps -ww -o args= -p "$1" 2>/dev/null; }
    isNumber() { case $1 in '' | *[!0-9]*) return 1 ;; esac; }
    readState() { set -- $(asUser head -c 200 ${files.state} 2>/dev/null | head -n 1); supervisor=$1 born=$2 what=$3 value=$4
      isNumber "$supervisor" && isNumber "$value" || what=; }
    supervises() { [ "$(birth "$supervisor")" = "$born" ] && [ "$(argsOf "$supervisor")" = ${`sh ${files.script}`} ]; }
    serves() { argsOf "$value" | grep -qF -e ${knownBy}; }
    alive() { case $what in running) supervises || serves ;; waiting) supervises ;; *) false ;; esac; }`;

/**
 * TERM goes to the supervisor, which passes it on and starts nothing again; KILL to the service's process. The numbers come from a
 * file of the service's user: root ends only a process of this service.
 */
const signal = (place: ServicePlace, name: "TERM" | "KILL"): Command => sh`
    ${supervisorFunctions(place)}
    readState; alive || exit 0
    if [ ${name} = TERM ] && supervises; then kill -TERM "$supervisor"
    elif [ "$what" = running ] && serves; then kill -${new Command(name)} "$value"; fi`;
