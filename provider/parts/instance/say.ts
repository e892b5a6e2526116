import type { Difference, Sayings } from "../../plan/plan";

export type InstanceStep =
  /** `records`: what the room adds to the new mark. */
  | {
      readonly kind: "claim-directory";
      readonly directory: string;
      readonly adopts: Adopts;
      readonly origin: Origin | null;
      readonly records: object;
    }
  | { readonly kind: "take-over"; readonly directory: string; readonly records: object }
  | { readonly kind: "confine" }
  /** `records`: what the mark records before the files are written, and what they then follow. */
  | {
      readonly kind: "configure";
      readonly because: readonly Difference[];
      readonly records?: object;
      readonly relaxes?: boolean;
    }
  | { readonly kind: "stop-server"; readonly why: string }
  | { readonly kind: "empty-data"; readonly why: string }
  | { readonly kind: "initialise-data" }
  | { readonly kind: "start-server" }
  /** For rooms whose data is complete when the server answers. */
  | { readonly kind: "complete" }
  | { readonly kind: "set-root-password" }
  | { readonly kind: "take-root-password" }
  | { readonly kind: "change-accounts"; readonly because: readonly Difference[] }
  | { readonly kind: "set-variables"; readonly because: readonly Difference[] }
  | { readonly kind: "restart-server"; readonly because: readonly Difference[] }
  | { readonly kind: "remove-server"; readonly directory: string };

/** A preview of a new object has not looked at the host: whether there is data to take over is known during `up`. */
export type Adopts = boolean | "where data is there";

/** The server that data comes from: the new one must not have its server ids, and needs its settings. */
export interface Origin {
  readonly endpoint: string;
  readonly serverId: number;
  readonly replicaIds: readonly number[];
  readonly variables: Readonly<Record<string, string>>;
}

/** A room's words for bringing its data. */
export interface DataWords {
  /** `seed it again` */
  readonly bringAgain: string;
  /** `it is seeded again` */
  readonly isBroughtAgain: string;
  /** `seeds nothing` */
  readonly bringsNothing: string;
}

export const sayInstance = (data: DataWords): Sayings<InstanceStep> => ({
  "take-over": ({ directory }) => ({ what: `take over ${directory} from another state of the same name, as it is` }),
  "claim-directory": ({ directory, adopts }) => ({ what: claimWords(directory, adopts, data) }),
  confine: () => ({ what: "let mysqld use its directory and port where AppArmor or SELinux denies them" }),
  configure: ({ because, relaxes: isRelaxed }) => ({
    what: "write my.cnf, init file and unit",
    because,
    ...(isRelaxed === true && {
      interrupts: `durability is relaxed: after a power failure the server may lack transactions that it counts as executed; ${data.bringAgain} then`,
    }),
  }),
  "stop-server": ({ why }) => ({
    what: "stop the server",
    because: [because(why)],
    interrupts: "clients cannot connect until it is started again",
  }),
  "empty-data": ({ why }) => ({
    what: "delete its data",
    because: [because(why)],
    interrupts: `its data is missing until ${data.isBroughtAgain}`,
  }),
  "initialise-data": () => ({ what: "initialise an empty data directory" }),
  "start-server": () => ({ what: "start the server and wait until it answers" }),
  complete: () => ({ what: "record that the data is complete" }),
  "set-root-password": () => ({
    what: "set the password of root@localhost",
    because: [{ property: "rootPassword", from: "", to: "changed" }],
  }),
  "take-root-password": () => ({
    what: "remove the password of root@localhost",
    because: [{ property: "rootPassword", from: "", to: "nothing" }],
  }),
  "change-accounts": (step) => ({ what: "apply the declared accounts", because: step.because }),
  "set-variables": (step) => ({
    what: "set variables of the running server",
    because: step.because,
    sql: step.because.map(({ property, to }) => `SET GLOBAL ${property} = ${to}`),
  }),
  "restart-server": (step) => ({
    what: "restart the server",
    because: step.because,
    interrupts: "connections end; channels continue after it",
  }),
  "remove-server": ({ directory }) => ({
    what: `remove the server and ${directory}`,
    interrupts: "its data is deleted",
  }),
});

function claimWords(directory: string, adopts: Adopts, { bringsNothing }: DataWords): string {
  if (adopts === true) return `take over ${directory} with its data`;
  if (adopts === false) return `claim directory ${directory}`;
  return `take over directory ${directory} if data is in it: keeps the data, rewrites my.cnf, init file and unit, ${bringsNothing}; if not, claim it`;
}

const because = (why: string): Difference => ({ property: "because", from: "", to: why });
