import { StringDecoder } from "node:string_decoder";
import type { Duplex, Readable } from "node:stream";
import { isProblem, SluiceError } from "../errors";
import { within } from "../wait";
import { type Command, sh } from "./command";
import { factsScript, type KnownFacts, parseFacts } from "./facts";
import {
  absent,
  explainSocket,
  inspectCommand,
  parsePathFacts,
  readFileCommand,
  saysAbsent,
  saysFull,
  socketCommand,
  writeFileCommand,
} from "./files";
import type {
  CommandResult,
  DialTarget,
  FileOptions,
  Host,
  HostFacts,
  LockOptions,
  PathFacts,
  RunOptions,
} from "./host";
import { LockKeeper } from "./lock";
import type { Ending, HostProcess, Transport } from "./transport";
import { wrap } from "./wrap";

const commandSeconds = 60; // sshd's LoginGraceTime-like patience of a person; longer work is a job (host.ts, RunOptions)
const factsSeconds = 20; // as long as connecting may take: ssh2's readyTimeout
const outputLimitBytes = 64 * 2 ** 20; // MySQL's default max_allowed_packet: no answer we read is larger than one packet

/** A Host made of a way to start processes. All that ssh and this machine have in common is here. */
export class ShellHost implements Host {
  #facts: Promise<KnownFacts> | undefined;
  readonly #transport: Transport;
  readonly #locks: LockKeeper;

  constructor(transport: Transport) {
    this.#transport = transport;
    this.#locks = new LockKeeper(transport, () => this.#knownFacts());
  }

  get name(): string {
    return this.#transport.name;
  }

  async facts(): Promise<HostFacts> {
    return this.#knownFacts();
  }

  async run(command: Command, options: RunOptions = {}): Promise<CommandResult> {
    const result = await this.#perform(command, options);
    this.#requireAccepted(command, result, options);
    return result;
  }

  async query(command: Command, options: RunOptions = {}): Promise<CommandResult> {
    const result = await this.#performTwice(command, options);
    this.#requireAccepted(command, result, options);
    return result;
  }

  async readFile(path: string, options: { readonly asRoot?: boolean } = {}): Promise<string | undefined> {
    const command = readFileCommand(path);
    const result = await this.#performTwice(command, options);
    if (result.exitCode !== 0 && saysAbsent(result.stderr)) return undefined;
    this.#requireAccepted(command, result);
    return result.stdout;
  }

  async inspect(path: string, options: { readonly asRoot?: boolean } = {}): Promise<PathFacts> {
    const command = inspectCommand(path);
    const result = await this.#performTwice(command, options);
    if (result.exitCode !== 0 && saysAbsent(result.stderr)) return absent;
    this.#requireAccepted(command, result);
    return parsePathFacts(result.stdout);
  }

  async writeFile(path: string, content: string | Buffer, options: FileOptions): Promise<void> {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const command = writeFileCommand(path, bytes.length, options);
    const asRoot = options.asRoot ?? false;
    const result = await this.#perform(command, { stdin: bytes, asRoot });
    if (result.exitCode === 0) return;
    const full = saysFull(result.stderr);
    throw new SluiceError({
      code: full ? "STORAGE_FULL" : "COMMAND_FAILED",
      object: `host ${this.name}`,
      what: full ? `no space left to write ${path}` : `cannot write ${path}`,
      ...(full
        ? { needs: `${bytes.length} bytes, beside the old file`, found: await this.#freeSpace(path, asRoot) }
        : {}),
      detail: lastLines(result.stderr),
    });
  }

  async dial(target: DialTarget): Promise<Duplex> {
    try {
      return await this.#transport.dial(target);
    } catch (error) {
      if (!isProblem(error, "HOST_DIAL_REFUSED") || !("socketPath" in target)) throw error;
      throw await this.#explained(error, target.socketPath);
    }
  }

  withLock<T>(name: string, lock: LockOptions, work: (lost: AbortSignal) => Promise<T>): Promise<T> {
    return this.#locks.hold(name, lock, work);
  }

  async close(): Promise<void> {
    await this.#locks.close();
    await this.#transport.close();
  }

  #knownFacts(): Promise<KnownFacts> {
    this.#facts ??= this.#readFacts().catch((error: unknown) => {
      this.#facts = undefined;
      throw error;
    });
    return this.#facts;
  }

  async #readFacts(): Promise<KnownFacts> {
    const text = factsScript(this.#transport.sudoAllowed);
    const execute = () => this.#execute(text, { withinSeconds: factsSeconds }, "reading facts", false);
    const result = await repeatedOnce(execute);
    return parseFacts(this.#transport.name, this.#transport.address, result.stdout, result.stderr);
  }

  async #perform(command: Command, options: RunOptions): Promise<CommandResult> {
    const facts = await this.#knownFacts();
    const asRoot = options.asRoot === true && facts.uid !== 0;
    if (asRoot && !facts.canBecomeRoot) throw this.#sudoRefused(command, facts);
    return this.#execute(command.text, options, briefly(command), asRoot);
  }

  #performTwice(command: Command, options: RunOptions): Promise<CommandResult> {
    return repeatedOnce(() => this.#perform(command, options));
  }

  async #execute(text: string, options: RunOptions, brief: string, asRoot: boolean): Promise<CommandResult> {
    const content = options.stdin ?? "";
    const withinSeconds = options.withinSeconds ?? commandSeconds;
    const words = wrap({ text, stdinBytes: Buffer.byteLength(content), withinSeconds, asRoot });
    const process = await this.#transport.start(words, "command");
    process.stdin.write(content);
    const output = collect(process, options.onStdout);
    const ending = await within<Ending>(withinSeconds, process.ended, () => {
      process.end();
      throw this.#tookTooLong(brief, withinSeconds, output.stderr());
    });
    if (output.overflowed()) throw this.#failed(brief, `printed more than ${outputLimitBytes} bytes`, output.stderr());
    switch (ending.kind) {
      case "exited":
        return { exitCode: ending.exitCode, stdout: output.stdout(), stderr: output.stderr() };
      case "signalled":
        throw this.#failed(brief, `was ended by ${ending.signal}`, output.stderr());
      case "lost":
        throw this.#lost(brief, ending.why);
    }
  }

  #requireAccepted(command: Command, result: CommandResult, options: RunOptions = {}): void {
    if ((options.accept ?? [0]).includes(result.exitCode)) return;
    const words = result.stderr.trim() === "" ? result.stdout : result.stderr;
    if (result.exitCode === 127 && /not found/.test(words)) throw this.#lacksProgram(command, words);
    throw this.#failed(briefly(command), `ended with exit code ${result.exitCode}`, words);
  }

  /** sshd says "open failed" whatever the reason is: the socket itself is looked at, as the user who dials. */
  async #explained(refusal: SluiceError, socketPath: string): Promise<SluiceError> {
    const { stdout } = await this.#performTwice(socketCommand(socketPath), {});
    return new SluiceError({
      ...refusal.problem,
      ...explainSocket(socketPath, stdout.trim(), await this.#knownFacts()),
    });
  }

  async #freeSpace(path: string, asRoot: boolean): Promise<string> {
    const result = await this.#perform(sh`df -kP -- ${path.slice(0, path.lastIndexOf("/")) || "/"}`, { asRoot });
    return result.stdout.trim();
  }

  #failed(brief: string, how: string, words: string): SluiceError {
    return new SluiceError({
      code: "COMMAND_FAILED",
      object: `host ${this.name}`,
      what: `\`${brief}\` ${how}`,
      detail: lastLines(words),
    });
  }

  #lacksProgram(command: Command, words: string): SluiceError {
    return new SluiceError({
      code: "HOST_LACKS_PROGRAM",
      object: `host ${this.name}`,
      what: `a program of \`${briefly(command)}\` is not installed`,
      detail: lastLines(words),
    });
  }

  #tookTooLong(brief: string, withinSeconds: number, words: string): SluiceError {
    return new SluiceError({
      code: "TIMEOUT_REACHED",
      object: `host ${this.name}`,
      what: `\`${brief}\` was ended because it took longer than ${withinSeconds} s`,
      detail: lastLines(words),
    });
  }

  #lost(brief: string, why: string): SluiceError {
    return new SluiceError({
      code: "HOST_CONNECTION_LOST",
      object: `host ${this.name}`,
      what: `the connection was cut while \`${brief}\` ran, nobody knows how it ended`,
      fix: "run it again: every step looks first at what is there",
      detail: why,
    });
  }

  #sudoRefused(command: Command, facts: KnownFacts): SluiceError {
    return new SluiceError({
      code: "HOST_SUDO_REFUSED",
      object: `host ${this.name}`,
      what: `user ${facts.user} may not become root, which \`${briefly(command)}\` needs`,
      found: facts.rootRefusal,
      needs: "root itself, or sudo without a password",
      fix: `on the host: echo '${facts.user} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/${facts.user.replaceAll(".", "_")}`,
    });
  }
}

/** A query changes nothing, so the second connection may ask it again. */
async function repeatedOnce<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isProblem(error, "HOST_CONNECTION_LOST")) throw error;
    return work();
  }
}

interface Output {
  stdout(): string;
  stderr(): string;
  overflowed(): boolean;
}

function collect(process: HostProcess, onStdout: ((text: string) => void) | undefined): Output {
  let size = 0;
  const follow = (stream: Readable, tell?: (text: string) => void) => {
    const decoder = new StringDecoder("utf8");
    const parts: string[] = [];
    const add = (text: string) => {
      if (text === "") return;
      parts.push(text);
      tell?.(text);
    };
    stream.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > outputLimitBytes) process.end();
      else add(decoder.write(chunk));
    });
    stream.on("end", () => add(decoder.end()));
    return () => parts.join("");
  };
  const stdout = follow(process.stdout, onStdout);
  const stderr = follow(process.stderr);
  return { stdout, stderr, overflowed: () => size > outputLimitBytes };
}

const detailLines = 20; // what a person reads; colmena shows as many
const briefLength = 120; // one line of a terminal: style.md 5.8, first line under 120 characters

const lastLines = (words: string): string => words.trimEnd().split("\n").slice(-detailLines).join("\n");

function briefly(command: Command): string {
  const line = command.text.replaceAll(/\s+/g, " ").trim();
  return line.length <= briefLength ? line : `${line.slice(0, briefLength - 1)}…`;
}
