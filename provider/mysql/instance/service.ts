import type { Service, ServicePlace } from "../../host/service/declaration";
import { renderService } from "../../host/service/service";
import type { Instance, InstancePlace } from "./instance";

/** mysqld ends with this code after RESTART and after CLONE if MYSQLD_PARENT_PID names a supervisor that starts it again. */
const restartExitCode = 16; // MYSQLD_RESTART_EXIT, sql/sql_const.h
/** A wrong option, a missing file, a corrupt dictionary: starting again would end the same way. */
const abortExitCode = 1; // MYSQLD_ABORT_EXIT, sql/sql_const.h
const crashLimit = { times: 5, withinSeconds: 600 }; // five recoveries of a big buffer pool take minutes, systemd's 10 s would never count them

/** Where mysqld of an instance is as a service. */
export const servicePlaceOf = ({ layout, runtime }: Pick<InstancePlace, "layout" | "runtime">): ServicePlace => ({
  name: layout.unitName,
  supervisor: runtime.supervisor,
  asRoot: runtime.asRoot,
  user: runtime.osUser,
  knownBy: defaultsFile(layout),
  files: { script: layout.supervisorFile, state: layout.supervisorState, output: layout.startLog },
});

const defaultsFile = ({ optionFile }: InstancePlace["layout"]): string => `--defaults-file=${optionFile}`;

type ServiceParts = Pick<Instance, "owner" | "layout" | "runtime" | "binaries" | "memoryMaxBytes">;

/** mysqld of an instance as a service. A text that differs from the one on the host restarts the server. */
export const serviceOf = (instance: ServiceParts): Service => ({
  ...servicePlaceOf(instance),
  ...mysqldParts(instance, instance.layout.socket),
  command: [instance.binaries.mysqld, defaultsFile(instance.layout)],
  restart: {
    why: `RESTART and CLONE end mysqld with ${restartExitCode} and want it started again.`,
    wantedBy: [restartExitCode],
    uselessAfter: [abortExitCode],
    crashLimit,
    toldIn: "MYSQLD_PARENT_PID",
  },
  startsWithMachine: true,
});

/** Where mysqld of an instance is during a private boot. */
export const privatePlaceOf = ({ layout, runtime }: Pick<InstancePlace, "layout" | "runtime">): ServicePlace => ({
  ...servicePlaceOf({ layout, runtime }),
  name: `${layout.unitName}-private`,
  knownBy: `--socket=${layout.privateSocket}`,
  files: {
    script: layout.privateSupervisorFile,
    state: layout.privateSupervisorState,
    output: layout.privateStartLog,
  },
});

/** mysqld for one boot with more options: it is not started again, and not with the machine. */
export const privateServiceOf = (instance: ServiceParts, options: readonly string[]): Service => ({
  ...mysqldParts(instance, instance.layout.privateSocket),
  ...privatePlaceOf(instance),
  command: [
    instance.binaries.mysqld,
    defaultsFile(instance.layout),
    ...options,
    `--socket=${instance.layout.privateSocket}`,
  ],
  startsWithMachine: false,
});

/** What every boot of mysqld in this directory has in common. */
const mysqldParts = ({ owner, layout, binaries, memoryMaxBytes }: ServiceParts, socket: string) =>
  ({
    owner,
    description: `MySQL server in ${layout.directory}`,
    type: binaries.notifies ? "notify" : "exec",
    writable: [layout.data, layout.run, layout.log, layout.tmp],
    reads: [layout.directory, binaries.mysqld],
    mounts: [layout.data],
    removesFirst: {
      paths: [`${socket}.lock`],
      why: "A lock of before a crash names a process number that anybody may have now; mysqld would refuse to start.",
    },
    memoryMaxBytes,
    openFiles: {
      limit: 524_288,
      why: "The hard limit systemd itself uses; mysqld takes what its tables and connections need.",
    },
  }) as const satisfies Partial<Service>;

/** The unit of mysqld, or its supervisor if there is no systemd. */
export const renderUnit = (instance: ServiceParts): string =>
  renderService(serviceOf(instance))
    .map(({ text }) => text)
    .join("");
