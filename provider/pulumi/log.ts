import type { Report } from "../report";
import type { Engine } from "./sdk";

const severity = { debug: 0, info: 1 } as const; // pulumi/proto/engine.proto LogSeverity
const answerMillis = 5_000; // the engine answers a log call in under 1 ms; one that does not is gone

interface Line {
  readonly urn: string;
  readonly text: string;
  readonly severity: number;
  /** On the resource's own row, where the next one replaces it; else under its diagnostics. */
  readonly ephemeral: boolean;
}

/** Lines for the engine, one call after another: it serves calls in any order. */
export class EngineLog {
  #waiting: Line[] = [];
  /** By URN: a display that is no terminal prints every line anew. */
  readonly #lastProgress = new Map<string, string>();
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
      debug: (text) => {
        add(text, severity.debug, false);
      },
      progress: (text) => {
        add(text, severity.info, true);
      },
    };
  }

  /** Resolves when everything said so far has reached the engine. The process may be ended after its answer. */
  async flush(): Promise<void> {
    await this.#sending;
  }

  #add(line: Line): void {
    if (line.ephemeral) {
      if (this.#lastProgress.get(line.urn) === line.text) return;
      this.#lastProgress.set(line.urn, line.text);
    }
    // Progress that nobody has seen yet is replaced by the newer one.
    this.#waiting = this.#waiting.filter(({ urn, ephemeral }) => !(ephemeral && line.ephemeral && urn === line.urn));
    this.#waiting.push(line);
    this.#sending ??= this.#send();
  }

  async #send(): Promise<void> {
    for (let line = this.#waiting.shift(); line !== undefined; line = this.#waiting.shift()) {
      if (await sendLine(this.engine, line)) continue;
      this.engine = undefined; // each further call would wait as long
      if (!line.ephemeral && line.severity === severity.info) process.stdout.write(`${line.text}\n`);
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
