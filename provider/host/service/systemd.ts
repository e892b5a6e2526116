import { type Command, sh } from "../command";
import type { Restart, Service, ServiceFile, ServicePlace, Supervision } from "./declaration";
import { renderHardening } from "./hardening";
import { renderCalendar } from "./timer";
import { escapeSpecifiers, quoteCommandWord, quotePath } from "./unit-words";

/** Units that an administrator makes: systemd.unit(5). */
export const unitFileOf = (name: string, ending: "service" | "timer" = "service"): string =>
  `/etc/systemd/system/${name}.${ending}`;

/** The unit that is started with the machine and runs all the time. */
const mainUnitOf = ({ name, timer }: ServicePlace): string => `${name}.${timer === undefined ? "service" : "timer"}`;

const unitsOf = (place: ServicePlace): readonly string[] =>
  place.timer === undefined ? [mainUnitOf(place)] : [mainUnitOf(place), `${place.name}.service`];

export const systemd: Supervision = {
  render: (service) => [
    { path: unitFileOf(service.name), mode: 0o644, text: renderUnit(service) },
    ...(service.timer === undefined ? [] : [timerFile(service, renderCalendar(service.timer))]),
  ],
  reload: sh`systemctl daemon-reload`,
  startsAs: ({ asRoot }) => ({ asRoot }),
  start: (service) => {
    const unit = mainUnitOf(service);
    // A run that ended between the writing of the file and the reload left systemd with the text of before.
    return sh`
    [ "$(systemctl show ${unit} -p NeedDaemonReload --value)" = no ] || systemctl daemon-reload
    systemctl reset-failed ${unit} 2>/dev/null
    ${service.startsWithMachine ? sh`systemctl enable --quiet ${unit} &&` : sh``} systemctl start --no-block ${unit}`;
  },
  stop: (place) => sh`
    systemctl cat ${mainUnitOf(place)} >/dev/null 2>&1 || exit 0
    systemctl disable --quiet ${mainUnitOf(place)} 2>/dev/null
    systemctl stop --no-block ${unitsOf(place)}`,
  // One that has stopped in the meantime cannot be killed; the wait that follows sees that.
  kill: ({ name }) => sh`systemctl kill --signal=KILL ${`${name}.service`}; exit 0`,
  look,
  output: ({ name }, lines) =>
    sh`journalctl --unit=${name} --lines=${lines} --output=cat --no-pager 2>/dev/null | grep -v '^systemd\|systemd\['; exit 0`,
  remove: (place) => sh`
    systemctl disable --quiet ${mainUnitOf(place)} 2>/dev/null
    # One that crashed may be about to be started again.
    systemctl stop ${unitsOf(place)} 2>/dev/null
    rm -f -- ${unitsOf(place).map((unit) => `/etc/systemd/system/${unit}`)} ${stampOf(place)} && systemctl daemon-reload || exit
    systemctl reset-failed ${unitsOf(place)} 2>/dev/null; exit 0`,
};

/** Where systemd keeps when a persistent timer ran last: a timer that is made again would make up a run of the one before. */
const stampOf = ({ name, timer }: ServicePlace): readonly string[] =>
  timer === undefined ? [] : [`/var/lib/systemd/timers/stamp-${name}.timer`];

/** ExecMainStatus is that of the last process, if none runs. */
function look({ name, timer }: ServicePlace): Command {
  const service = `${name}.service`;
  const both = sh`
    systemctl show ${service} -p MainPID -p ActiveState -p Result -p ExecMainStatus -p UnitFileState
    pid=$(systemctl show ${service} -p MainPID --value)`;
  if (timer === undefined) return both;
  return sh`
    echo "UnitFileState=$(systemctl show ${`${name}.timer`} -p UnitFileState --value)"
    echo "TimerState=$(systemctl show ${`${name}.timer`} -p ActiveState --value)"
    ${both}`;
}

const header = ({ owner }: Service): string =>
  `# Made by sluice for ${owner}. Change the declaration, not this file.\n`;

const describe = ({ description, owner }: Service): string =>
  `Description=${escapeSpecifiers(description)} (sluice, ${escapeSpecifiers(owner)})\n`;

/** Start and stop have no limit of their own: recovery and flushing have no known limit, and Sluice watches them. */
function renderUnit(service: Service): string {
  const { type, user, command, environment = {}, mounts, removesFirst, restart, openFiles, memoryMaxBytes } = service;
  return [
    header(service),
    "[Unit]\n",
    describe(service),
    "Wants=network-online.target\n",
    "After=network-online.target\n",
    `RequiresMountsFor=${mounts.map(quotePath).join(" ")}\n`,
    restart === undefined ? "" : renderCrashLimit(restart),
    "\n[Service]\n",
    `Type=${type}\n`,
    `User=${user}\n`,
    removesFirst === undefined
      ? ""
      : `# ${removesFirst.why}\nExecStartPre=/bin/rm -f ${removesFirst.paths.map(quoteCommandWord).join(" ")}\n`,
    `ExecStart=${command.map(quoteCommandWord).join(" ")}\n`,
    ...Object.entries(environment).map(([name, value]) => `Environment=${quotePath(`${name}=${value}`)}\n`),
    restart === undefined ? "" : renderRestart(restart),
    "TimeoutStartSec=infinity\n",
    "TimeoutStopSec=infinity\n",
    "SendSIGKILL=no\n",
    openFiles === undefined ? "" : `# ${openFiles.why}\nLimitNOFILE=${openFiles.limit}\n`,
    memoryMaxBytes === undefined ? "" : `MemoryMax=${memoryMaxBytes}\n`,
    renderHardening(service),
    service.startsWithMachine && service.timer === undefined ? "\n[Install]\nWantedBy=multi-user.target\n" : "",
  ].join("");
}

const renderCrashLimit = ({ crashLimit }: Restart): string =>
  `StartLimitIntervalSec=${crashLimit.withinSeconds}\nStartLimitBurst=${crashLimit.times}\n`;

const renderRestart = ({ why, toldIn, wantedBy, uselessAfter }: Restart): string => `# ${why}
Environment=${toldIn}=1
Restart=on-failure
RestartForceExitStatus=${wantedBy.join(" ")}
RestartPreventExitStatus=${uselessAfter.join(" ")}
`;

const timerFile = (service: Service, calendar: readonly string[]): ServiceFile => ({
  path: unitFileOf(service.name, "timer"),
  mode: 0o644,
  text: [
    header(service),
    "[Unit]\n",
    describe(service),
    "\n[Timer]\n",
    ...calendar.map((when) => `OnCalendar=${when}\n`),
    "# A run that was missed while the machine was down is made up.\n",
    "Persistent=yes\n",
    "# By default systemd may be a minute late.\n",
    "AccuracySec=1s\n",
    "\n[Install]\nWantedBy=timers.target\n",
  ].join(""),
});
