import type { Report } from "../report";
import type { Engine } from "./sdk";

const severity = { debug: 0, info: 1, warning: 2 } as const; // pulumi/proto/engine.proto LogSeverity
/**
 * A display that is not a terminal prints every progress line again, and a provider does not know which one it has. So a
 * row's progress waits an eighth of the time that its work has taken so far (as wait.ts does), at least the second in
 * which Pulumi's terminal display redraws (pkg/backend/display/progress.go), at most a share of the 10 minutes without
 * output after which CI services end a job.
 */
const shortestPauseMillis = 1_000;
const longestPauseMillis = 30_000;
const answerMillis = 5_000; // the engine answers a log call in under 1 ms; one that does not has ended

interface Line {
  readonly urn: string;
  readonly text: string;
  readonly severity: number;
  /** On the resource's own row, where the next one replaces it; else under its diagnostics. */
  readonly ephemeral: boolean;
}

/** The row of a resource at work. */
interface Row {
  readonly beganAt: number;
  sentAt: number;
  /** The last line, shown or not. */
  text: string;
  /** The newest line, while the pause lasts. */
  held: { readonly line: Line; readonly timer: NodeJS.Timeout } | undefined;
}

/** Lines for the engine, one call after another: it serves calls in any order. */
export class EngineLog {
  #waiting: Line[] = [];
  /** By URN. */
  readonly #rows = new Map<string, Row>();
  #sending: Promise<void> | undefined;

  constructor(private engine: Engine | undefined) {}

  /** Lines for one resource. */
  reportFor(urn: string): Report {
    const add = (text: string, level: number, ephemeral: boolean) => {
      this.#add({ urn, text, severity: level, ephemeral });
    };
    return {
      say: (text) => {
        add(text, severity.info, false);
      },
      warn: (text) => {
        add(text, severity.warning, false);
      },
      debug: (text) => {
        add(text, severity.debug, false);
      },
      progress: (text) => {
        add(text, severity.info, true);
      },
    };
  }

  /** The work on a resource ends: its last progress is shown now, however short ago the one before it was. */
  endRow(urn: string): void {
    this.#showHeld(urn);
    this.#rows.delete(urn);
  }

  /** Resolves when everything said so far has reached the engine. The process may be ended after its answer. */
  async flush(): Promise<void> {
    await this.#sending;
  }

  #add(line: Line): void {
    if (line.ephemeral) this.#addProgress(line);
    else this.#queue(line);
  }

  #addProgress(line: Line): void {
    const now = performance.now();
    const row = this.#rows.get(line.urn);
    if (row === undefined) {
      this.#rows.set(line.urn, { beganAt: now, sentAt: now, text: line.text, held: undefined });
      this.#queue(line);
      return;
    }
    if (row.text === line.text) return;
    row.text = line.text;
    const pause = Math.min(Math.max((now - row.beganAt) / 8, shortestPauseMillis), longestPauseMillis);
    const waitMillis = row.sentAt + pause - now;
    const timer = row.held?.timer ?? setTimeout(() => this.#showHeld(line.urn), Math.max(0, waitMillis)).unref();
    row.held = { line, timer };
  }

  #showHeld(urn: string): void {
    const row = this.#rows.get(urn);
    if (row?.held === undefined) return;
    const { line, timer } = row.held;
    clearTimeout(timer);
    row.held = undefined;
    row.sentAt = performance.now();
    this.#queue(line);
  }

  #queue(line: Line): void {
    // Progress that was not sent yet is replaced by the newer one.
    this.#waiting = this.#waiting.filter(({ urn, ephemeral }) => !(ephemeral && line.ephemeral && urn === line.urn));
    this.#waiting.push(line);
    this.#sending ??= this.#send();
  }

  async #send(): Promise<void> {
    for (let line = this.#waiting.shift(); line !== undefined; line = this.#waiting.shift()) {
      if (await sendLine(this.engine, line)) continue;
      this.engine = undefined; // each further call would wait as long
      if (!line.ephemeral && line.severity >= severity.info) process.stdout.write(`${line.text}\n`);
    }
    this.#sending = undefined;
  }
}

function sendLine(engine: Engine | undefined, line: Line): Promise<boolean> {
  if (engine === undefined) return Promise.resolve(false);
  const request = engine.newRequest();
  request.setSeverity(line.severity);
  request.setMessage(line.text);
  request.setUrn(line.urn);
  request.setEphemeral(line.ephemeral);
  return new Promise((resolve) => {
    engine.client.log(request, engine.newMetadata(), { deadline: Date.now() + answerMillis }, (error) => {
      resolve(error === null || error === undefined);
    });
  });
}
