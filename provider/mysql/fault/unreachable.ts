import { isProblem, SluiceError } from "../../errors";
import { dialReason, forwardsForbidden } from "../../host/dial-reasons";
import type { HostAddress } from "../../host/host";

export interface Unreached {
  /** What needs the source: `staging database shop`. */
  readonly object: string;
  /** `db-1:3306` */
  readonly endpoint: string;
  /** The host from which the source was asked; undefined is this machine. */
  readonly through: HostAddress | undefined;
}

const machineOf = (host: HostAddress | undefined): string => (typeof host === "object" ? host.address : "this machine");

/** The same error in the words of the object that needs the source; other errors as they are. */
export function sayUnreached(error: SluiceError, { object, endpoint, through }: Unreached): SluiceError {
  if (!isProblem(error, "SOURCE_UNREACHABLE")) return error;
  const { problem } = error;
  const reason = dialReason([problem.found, problem.what].filter((text) => text !== undefined).join(" "));
  const machine = machineOf(through);
  return new SluiceError({
    ...problem,
    object,
    what: `cannot reach its source ${endpoint} from ${machine}: ${reason ?? problem.what}`,
    fix: fixOf(reason, machine) ?? problem.fix ?? "check that mysqld runs there",
  });
}

function fixOf(reason: string | undefined, machine: string): string | undefined {
  if (reason === undefined) return undefined;
  return reason === forwardsForbidden
    ? `set AllowTcpForwarding yes in sshd_config on ${machine}`
    : `check \`source.address\` and \`source.port\` as seen from ${machine}`;
}
