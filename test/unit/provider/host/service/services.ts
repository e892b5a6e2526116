import type { Restart, Service } from "../../../../../provider/host/service/declaration";

/** A service of this machine's own user, without systemd. */
export const serviceIn = (directory: string, changes: Partial<Service> = {}): Service => ({
  name: "sluice-test",
  supervisor: "process",
  asRoot: false,
  user: "ana",
  knownBy: `${directory}/program`,
  files: {
    script: `${directory}/supervise.sh`,
    state: `${directory}/state`,
    output: `${directory}/output`,
  },
  owner: "shop/dev/orders",
  description: "a test",
  type: "exec",
  command: [`${directory}/program`, "first word"],
  writable: [directory],
  reads: [directory],
  mounts: [directory],
  startsWithMachine: false,
  ...changes,
});

export const restart: Restart = {
  why: "It says so.",
  wantedBy: [16],
  uselessAfter: [1],
  crashLimit: { times: 5, withinSeconds: 600 },
  toldIn: "SUPERVISOR",
};
