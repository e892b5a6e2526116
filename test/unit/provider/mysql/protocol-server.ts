/** A server that speaks MySQL's protocol and says what a test wants, over plain sockets and TLS. */
import net from "node:net";
import { TLSSocket } from "node:tls";
import type { Duplex } from "node:stream";

export interface Script {
  /** Sent instead of the greeting. */
  readonly refusal?: Fault;
  readonly version?: string;
  readonly comment?: string;
  /** Says nothing, not even hello. */
  readonly isMute?: boolean;
  /** Offers TLS with these. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly login?: (user: string) => Fault | undefined;
  readonly answer?: (statement: string) => Answer | undefined;
}

export interface Fault {
  readonly errno: number;
  readonly message: string;
}

/** One row by its columns; "silence" is no answer, "hang-up" the end of the connection. Undefined is OK. */
export type Answer =
  Fault | { readonly row: Readonly<Record<string, string>>; readonly type?: ColumnType } | "silence" | "hang-up";

const columnTypes = { text: 253, longlong: 8 } as const;
type ColumnType = keyof typeof columnTypes;

export interface ProtocolServer {
  readonly port: number;
  /** Statements of all connections, in the order they came. "QUIT" for COM_QUIT. */
  readonly statements: readonly string[];
  readonly encrypted: readonly boolean[];
  /** Connections that are open now. */
  openConnections(): number;
  /** Ends every connection without a word. */
  hangUp(): void;
  stop(): Promise<void>;
}

export async function startProtocolServer(script: Script = {}): Promise<ProtocolServer> {
  const statements: string[] = [];
  const encrypted: boolean[] = [];
  const sockets = new Set<net.Socket>();
  const silent = new Map<number, () => void>();
  let lastThread = 100;
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    lastThread += 1;
    if (!script.isMute) talk(socket, script, lastThread, { statements, encrypted, silent });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    statements,
    encrypted,
    openConnections: () => sockets.size,
    hangUp: () => sockets.forEach((socket) => socket.destroy()),
    stop: async () => {
      sockets.forEach((socket) => socket.destroy());
      // A second stop finds it closed, which is no error here.
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const flags = { longPassword: 0x1, withDatabase: 0x8, protocol41: 0x200, tls: 0x800, secure: 0x8000, plugins: 0x80000 };

interface Heard {
  readonly statements: string[];
  readonly encrypted: boolean[];
  /** How to end the statement that a thread does not answer. */
  readonly silent: Map<number, () => void>;
}

function talk(socket: net.Socket, script: Script, thread: number, { statements, encrypted, silent }: Heard): void {
  if (script.refusal !== undefined) {
    socket.end(
      packet(
        0,
        Buffer.concat([Buffer.from([0xff]), uint(script.refusal.errno, 2), Buffer.from(script.refusal.message)]),
      ),
    );
    return;
  }
  let stream: Duplex = socket;
  let isLoggedIn = false;
  socket.write(packet(0, greeting(script, thread)));
  listen(socket);

  function listen(from: Duplex): void {
    let received = Buffer.alloc(0);
    const read = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= 4 + received.readUIntLE(0, 3)) {
        const length = received.readUIntLE(0, 3);
        const [sequence, body] = [received.readUInt8(3), received.subarray(4, 4 + length)];
        received = received.subarray(4 + length);
        const isTlsRequest = !isLoggedIn && length === 32 && (body.readUInt32LE(0) & flags.tls) !== 0;
        if (isTlsRequest && script.tls !== undefined) {
          from.off("data", read);
          from.pause();
          if (received.length > 0) from.unshift(received);
          stream = new TLSSocket(socket, { isServer: true, ...script.tls });
          stream.on("error", () => socket.destroy());
          listen(stream);
          return;
        }
        hear(body, sequence);
      }
    };
    from.on("data", read);
  }

  function hear(body: Buffer, sequence: number): void {
    if (!isLoggedIn) {
      isLoggedIn = true;
      encrypted.push(stream instanceof TLSSocket);
      const user = body.subarray(32, body.indexOf(0, 32)).toString();
      const fault = script.login?.(user);
      stream.write(packet(sequence + 1, fault === undefined ? ok : errorBody(fault)));
      if (fault !== undefined) stream.end();
      return;
    }
    if (body[0] === 0x01) {
      statements.push("QUIT");
      stream.end();
      return;
    }
    const statement = body.subarray(1).toString();
    statements.push(statement);
    silent.get(Number(/KILL QUERY (\d+)/.exec(statement)?.[1]))?.();
    reply(script.answer?.(statement) ?? defaultAnswer(statement, script));
  }

  function reply(answer: Answer | undefined): void {
    if (answer === "silence")
      silent.set(thread, () => reply({ errno: 1317, message: "Query execution was interrupted" }));
    else if (answer === "hang-up") socket.destroy();
    else if (answer === undefined) stream.write(packet(1, ok));
    else if ("errno" in answer) stream.write(packet(1, errorBody(answer)));
    else stream.write(resultSet(answer.row, columnTypes[answer.type ?? "text"]));
  }
}

const defaultAnswer = (statement: string, script: Script): Answer | undefined =>
  statement.includes("VERSION()")
    ? { row: { version: script.version ?? "9.7.4-2", comment: script.comment ?? "(Debian)" } }
    : undefined;

const ok = Buffer.from([0, 0, 0, 2, 0, 0, 0]);
const endOfRows = Buffer.from([0xfe, 0, 0, 2, 0]);

const uint = (value: number, bytes: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntLE(value, 0, bytes);
  return buffer;
};

const packet = (sequence: number, body: Buffer): Buffer =>
  Buffer.concat([uint(body.length, 3), uint(sequence % 256, 1), body]);

const errorBody = ({ errno, message }: Fault): Buffer =>
  Buffer.concat([Buffer.from([0xff]), uint(errno, 2), Buffer.from("#HY000"), Buffer.from(message)]);

const text = (value: string): Buffer => Buffer.concat([uint(Buffer.byteLength(value), 1), Buffer.from(value)]);

function greeting(script: Script, thread: number): Buffer {
  const able =
    flags.longPassword |
    flags.withDatabase |
    flags.protocol41 |
    flags.secure |
    flags.plugins |
    (script.tls ? flags.tls : 0);
  return Buffer.concat([
    Buffer.from([10]),
    Buffer.from(`${script.version ?? "9.7.4-2"}\0`),
    uint(thread, 4),
    Buffer.from("abcdefgh\0"),
    uint(able & 0xffff, 2),
    Buffer.from([255, 2, 0]),
    uint(able >>> 16, 2),
    Buffer.from([21]),
    Buffer.alloc(10),
    Buffer.from("ijklmnopqrst\0caching_sha2_password\0"),
  ]);
}

function resultSet(row: Readonly<Record<string, string>>, type: number): Buffer {
  const columns = Object.keys(row).map((name) =>
    Buffer.concat([
      ...["def", "", "", "", name, name].map(text),
      Buffer.from([0x0c]),
      uint(255, 2),
      uint(1024, 4),
      uint(type, 1),
      uint(0, 5),
    ]),
  );
  const values = Buffer.concat(Object.values(row).map(text));
  const bodies = [Buffer.from([columns.length]), ...columns, endOfRows, values, endOfRows];
  return Buffer.concat(bodies.map((body, at) => packet(at + 1, body)));
}
