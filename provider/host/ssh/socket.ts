import { createConnection } from "node:net";
import type { Duplex } from "node:stream";
import { renderEndpoint } from "../../endpoint";
import { isProblem } from "../../errors";
import type { DialTarget, SshAddress } from "../host";
import { hopFailed, hostUnreachable } from "./errors";

/** The jump host. */
export interface Through {
  readonly name: string;
  dial(target: DialTarget): Promise<Duplex>;
}

/** `root@stage-1:22`; an address of version 6 in brackets. */
export function renderAddress({ user, address, port = 22 }: SshAddress): string {
  return `${user}@${renderEndpoint({ address, port })}`;
}

/** The byte stream that ssh runs on. `signal` ends it at any time. */
export async function openSocket(
  object: string,
  settings: SshAddress,
  through: Through | undefined,
  signal: AbortSignal,
): Promise<Duplex> {
  const { address, port = 22 } = settings;
  if (through !== undefined) {
    try {
      const stream = await through.dial({ address, port });
      signal.addEventListener("abort", () => stream.destroy(), { once: true });
      if (signal.aborted) stream.destroy();
      return stream;
    } catch (error) {
      throw isProblem(error) ? hopFailed(object, through.name, error) : error;
    }
  }
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: address, port, noDelay: true, signal });
    const onError = (error: unknown) => reject(hostUnreachable(object, address, port, error));
    socket.once("error", onError);
    socket.once("connect", () => {
      socket.off("error", onError);
      socket.on("error", () => undefined); // ssh2 listens too, but not between here and there
      resolve(socket);
    });
  });
}
