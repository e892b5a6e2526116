import { posix } from "node:path";
import type { Duplex } from "node:stream";
import { isProblem, SluiceError } from "../errors";
import { within } from "../wait";
import { asUserCommand, type Command, sh } from "./command";
import {
  briefly,
  commandFailed,
  connectionLost,
  lastLines,
  programMissing,
  sudoRefused,
  tookTooLong,
} from "./command-errors";
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
  ReadOptions,
  RunOptions,
} from "./host";
import { LockKeeper } from "./lock/lock";
import { collect, outputLimitBytes } from "./output";
import type { Ending, Transport } from "./transport";
import { pathUnsafe, requireTrusted, untrustedIn } from "./trust";
import { wrap } from "./wrap";

const commandSeconds = 60; // sshd's LoginGraceTime-like patience of a person; longer work is a job (host.ts, RunOptions)
const factsSeconds = 20; // as long as connecting may take: ssh2's readyTimeout

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

  async readFile(path: string, options: ReadOptions = {}): Promise<string | undefined> {
    const command = await this.#guarded(readFileCommand(path), path, "parents", options);
    const result = await this.#performTwice(command, options);
    this.#requireTrusted(`root does not read ${path}`, result);
    if (result.exitCode !== 0 && saysAbsent(result.stderr)) return undefined;
    this.#requireAccepted(command, result);
    return result.stdout;
  }

  async inspect(path: string, options: ReadOptions = {}): Promise<PathFacts> {
    const command = inspectCommand(path);
    const result = await this.#performTwice(command, options);
    if (result.exitCode !== 0 && saysAbsent(result.stderr)) return absent;
    this.#requireAccepted(command, result);
    return parsePathFacts(result.stdout);
  }

  async writeFile(path: string, content: string | Buffer, options: FileOptions): Promise<void> {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const who = { asRoot: options.asRoot ?? false, asUser: options.asUser };
    const command = await this.#guarded(
      writeFileCommand(path, bytes.length, options),
      posix.dirname(path),
      "all",
      options,
    );
    const result = await this.#perform(command, { stdin: bytes, ...who });
    if (result.exitCode === 0) return;
    this.#requireTrusted(`root does not write ${path}`, result);
    const full = saysFull(result.stderr);
    throw new SluiceError({
      code: full ? "STORAGE_FULL" : "COMMAND_FAILED",
      object: `host ${this.name}`,
      what: full ? `no space left to write ${path}` : `cannot write ${path}`,
      ...(full
        ? { needs: `${bytes.length} bytes, in addition to the old file`, found: await this.#freeSpace(path, who) }
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
    const asUser = options.asUser === facts.user ? undefined : options.asUser;
    const asRoot =
      facts.uid !== 0 && (asUser !== undefined || (options.asRoot === true && options.asUser === undefined));
    if (asRoot && !facts.canBecomeRoot) throw sudoRefused(this.name, command, facts);
    const text = asUser === undefined ? command.text : asUserCommand(asUser, command).text;
    return this.#execute(text, options, briefly(command), asRoot);
  }

  /** Root looks first whether another user can change the path; who works with an own directory need not. */
  async #guarded(command: Command, path: string, last: "all" | "parents", who: ReadOptions): Promise<Command> {
    const { uid, user } = await this.#knownFacts();
    const isRoot = who.asUser === undefined ? uid === 0 || who.asRoot === true : who.asUser === "root";
    if (!isRoot || (uid !== 0 && who.asUser === user)) return command;
    return sh`${requireTrusted(path, last, uid)}; ${command}`;
  }

  #requireTrusted(what: string, { stderr }: CommandResult): void {
    const changer = untrustedIn(stderr);
    if (changer !== undefined) throw pathUnsafe(`host ${this.name}`, what, changer);
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
      throw tookTooLong(this.name, brief, withinSeconds, output.stderr());
    });
    if (output.overflowed())
      throw commandFailed(this.name, brief, `printed more than ${outputLimitBytes} bytes`, output.stderr());
    switch (ending.kind) {
      case "exited":
        return { exitCode: ending.exitCode, stdout: output.stdout(), stderr: output.stderr() };
      case "signalled":
        throw commandFailed(this.name, brief, `was ended by ${ending.signal}`, output.stderr());
      case "lost":
        throw connectionLost(this.name, brief, ending.why);
    }
  }

  #requireAccepted(command: Command, result: CommandResult, options: RunOptions = {}): void {
    if ((options.accept ?? [0]).includes(result.exitCode)) return;
    const words = result.stderr.trim() === "" ? result.stdout : result.stderr;
    if (result.exitCode === 127 && /not found/.test(words)) throw programMissing(this.name, command, words);
    throw commandFailed(this.name, briefly(command), `ended with exit code ${result.exitCode}`, words);
  }

  /** sshd says "open failed" whatever the reason is: the socket itself is looked at, as the user who dials. */
  async #explained(refusal: SluiceError, socketPath: string): Promise<SluiceError> {
    const { stdout } = await this.#performTwice(socketCommand(socketPath), {});
    return new SluiceError({
      ...refusal.problem,
      ...explainSocket(socketPath, stdout.trim(), await this.#knownFacts()),
    });
  }

  async #freeSpace(path: string, who: ReadOptions): Promise<string> {
    const result = await this.#perform(sh`df -kP -- ${posix.dirname(path)}`, who);
    return result.stdout.trim();
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
