import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type Connection, Server, type ServerChannel, utils } from "ssh2";

export interface ServerSettings {
  /** Private host keys, in the order the server prefers them. */
  readonly hostKeys?: readonly string[];
  readonly user?: string;
  readonly password?: string;
  /** Public keys that may log in, as `getPublicSSH` in base64. */
  readonly authorized?: readonly string[];
  readonly maxSessions?: number;
  readonly allowForwards?: boolean;
  /** Program that is given `-c TEXT`, as sshd gives it to a login shell. */
  readonly loginShell?: string;
  /** Sessions run as this user of this machine; needs root. */
  readonly uid?: number;
}

/** An ssh server in this process whose sessions are real processes of this machine; it can be cut and frozen. */
export interface TestServer {
  readonly port: number;
  /** Connections that ever logged in. */
  readonly logins: () => number;
  /** Most sessions that were open at once on one connection. */
  readonly mostSessions: () => number;
  /** Ends every connection as a network that is cut does for the client; the sessions see the end of their input. */
  cut(): void;
  /** Cuts once this many more bytes have come from the client. */
  cutAfter(bytes: number): void;
  /** No byte passes any more, and nobody is told. */
  freeze(): void;
  /** As freeze, and the server goes on believing in the old connection; new ones work. */
  abandon(): void;
  /** No new connection is accepted from now on, or again. */
  listen(isListening: boolean): Promise<void>;
  close(): Promise<void>;
}

interface KeyPair {
  readonly private: string;
  readonly public: string;
}

/** `passphrase`: the private key is encrypted with it. */
export function makeKey(type: "ed25519" | "rsa" | "ecdsa" = "ed25519", passphrase?: string): KeyPair {
  const locked = passphrase === undefined ? {} : { cipher: "aes256-ctr", passphrase, rounds: 4 };
  for (;;) {
    const made: KeyPair =
      type === "ed25519"
        ? utils.generateKeyPairSync("ed25519", locked as never)
        : utils.generateKeyPairSync(type, { bits: type === "rsa" ? 2048 : 256 });
    // ssh2 1.x writes about one ed25519 key in 250 so that it cannot read it: "Malformed OpenSSH private key" (measured).
    if (!(utils.parseKey(made.private, passphrase) instanceof Error)) return made;
  }
}

export const defaultHostKey = makeKey();

export async function startServer(settings: ServerSettings = {}): Promise<TestServer> {
  const { user = "ana", password = "pass", authorized = [], maxSessions = 10, allowForwards = true } = settings;
  let logins = 0;
  let mostSessions = 0;
  const children = new Set<ChildProcess>();
  const server = new Server(
    { hostKeys: [...(settings.hostKeys ?? [defaultHostKey.private])], ident: "OpenSSH_test" },
    (client) => {
      // In ssh2, not in its types: small answers would wait for the acknowledgement of the one before.
      if ("setNoDelay" in client && typeof client.setNoDelay === "function") client.setNoDelay(true);
      client.on("error", () => undefined);
      client.on("authentication", (context) => {
        const methods = ["publickey", "password"] as const;
        const isRight =
          context.username === user &&
          ((context.method === "password" && context.password === password) ||
            (context.method === "publickey" && authorized.includes(context.key.data.toString("base64"))));
        if (isRight) context.accept();
        else context.reject([...methods]);
      });
      client.on("ready", () => {
        logins += 1;
        serveSessions(client);
        serveForwards(client);
      });
    },
  );

  const serveSessions = (client: Connection) => {
    let open = 0;
    client.on("session", (accept, reject) => {
      if (open >= maxSessions) return void reject();
      open += 1;
      mostSessions = Math.max(mostSessions, open);
      const session = accept();
      session.on("exec", (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        const child = spawn(settings.loginShell ?? "/bin/sh", ["-c", command], {
          stdio: "pipe",
          ...(settings.uid === undefined
            ? {}
            : { uid: settings.uid, gid: settings.uid, env: { PATH: process.env["PATH"] } }),
        });
        children.add(child);
        child.on("close", () => children.delete(child));
        child.on("close", () => (open -= 1));
        join(channel, child);
      });
    });
  };

  const serveForwards = (client: Connection) => {
    const forward = (target: Socket, accept: () => ServerChannel, reject: () => void) => {
      let isOpen = false;
      target.on("error", () => {
        if (!isOpen) reject();
      });
      target.on("connect", () => {
        isOpen = true;
        const channel = accept();
        channel.on("error", () => undefined);
        channel.pipe(target).pipe(channel);
        target.on("close", () => channel.end());
        channel.on("close", () => target.destroy());
      });
    };
    client.on("openssh.streamlocal", (accept, reject, info) => {
      if (!allowForwards) return void reject();
      forward(connect({ path: info.socketPath }), accept, reject);
    });
    // Without a listener the server answers "administratively prohibited", as sshd does.
    if (!allowForwards) return;
    client.on("tcpip", (accept, reject, info) => {
      forward(connect({ host: info.destIP, port: info.destPort }), accept, reject);
    });
  };

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const inner = (server.address() as AddressInfo).port;

  // Bytes pass through a relay, so that a cut and a stall are what a network makes of them.
  let bytesToCut = Infinity;
  const pairs = new Set<readonly [Socket, Socket]>();
  const relay = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: inner, host: "127.0.0.1", noDelay: true });
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const socket of pair) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        near.destroy();
        far.destroy();
        pairs.delete(pair);
      });
    }
    near.pipe(far).pipe(near);
    near.on("data", (chunk: Buffer) => {
      bytesToCut -= chunk.length;
      if (bytesToCut <= 0) near.destroy();
    });
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  const port = (relay.address() as AddressInfo).port;

  const stall = () => {
    for (const [near, far] of pairs) {
      near.unpipe(far);
      far.unpipe(near);
      near.pause();
      far.pause();
    }
  };
  return {
    port,
    logins: () => logins,
    mostSessions: () => mostSessions,
    cut: () => {
      for (const [near] of pairs) near.destroy();
    },
    cutAfter: (bytes) => (bytesToCut = bytes),
    freeze: stall,
    abandon: () => {
      stall();
      for (const [near, far] of [...pairs]) {
        near.removeAllListeners("close");
        far.removeAllListeners("close");
        near.destroy();
      }
    },
    listen: async (isListening) => {
      if (isListening) {
        relay.listen(port, "127.0.0.1");
        await once(relay, "listening");
      } else await new Promise<void>((resolve) => void (relay.close(), resolve()));
    },
    close: async () => {
      for (const [near, far] of pairs) {
        near.destroy();
        far.destroy();
      }
      relay.close();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([...children].map((child) => once(child, "close")));
    },
  };
}

/** As sshd joins a session and a process: a closed channel closes the pipes and kills nobody. */
function join(channel: ServerChannel, child: ReturnType<typeof spawn>): void {
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error("the child has no pipes");
  for (const stream of [channel, channel.stderr, stdin, stdout, stderr]) stream.on("error", () => undefined);
  channel.pipe(stdin);
  stdout.pipe(channel, { end: false });
  stderr.pipe(channel.stderr, { end: false });
  channel.on("close", () => {
    stdin.destroy();
    stdout.destroy();
    stderr.destroy();
  });
  child.on("close", (code, signal) => {
    if (signal === null) channel.exit(code ?? 0);
    else channel.exit(signal.replace("SIG", ""));
    channel.end();
    channel.close();
  });
}
