import type { Identity } from "../../provider/mark/mark";
import { openDrivers } from "../../provider/drivers";
import { converge, look, remove } from "../../provider/lifecycle";
import { absent } from "../../provider/plan/plan";
import { reportPlan } from "../../provider/plan/render";
import type { Report } from "../../provider/report";
import type { AnyRoom, Observed, Operation } from "../../provider/room";

/** One stack's view of one object: what Pulumi would do, with the state it would keep. */
export class Stack<Declared extends object, Settled extends object, Live extends object> {
  readonly lines: string[] = [];
  before: { declared: object; settled: object } | null = null;
  private seal: string | null = null;

  constructor(
    private readonly room: AnyRoom,
    readonly owner = "tests/live/orders",
  ) {}

  /** `up`; gives the lines that were said. */
  async up(declared: Declared): Promise<string[]> {
    const from = this.lines.length;
    this.remember(declared, await this.operate(declared, converge));
    return this.lines.slice(from);
  }

  /** An `up` or `destroy` that ends behind its step `steps`: connections are cut, and Pulumi learns nothing of it. */
  async crash(declared: Declared, steps: number, work: typeof converge | typeof remove = converge): Promise<void> {
    const crash = new AbortController();
    const say = (text: string) => {
      if (text.startsWith(`${String(steps)}/`)) crash.abort(new Error("crashed"));
    };
    await this.operate<unknown>(declared, work, { ...this.report(), say }, crash.signal).catch((error: unknown) => {
      if (!crash.signal.aborted) throw error;
    });
  }

  /** An `up` that is interrupted while a job of its step `seed` runs, or has just ended: what it printed last says so. */
  async interruptSeeding(declared: Declared): Promise<void> {
    const interrupt = new AbortController();
    const progress = (text: string) => {
      if (/\b(?:bytes|[kMG]B)\b/.test(text)) interrupt.abort(new Error("interrupted"));
    };
    const report = { ...this.report(), progress };
    const ended = await this.operate(declared, converge, report, interrupt.signal).catch((error: unknown) => {
      if (!interrupt.signal.aborted) throw error;
    });
    if (ended === undefined) return;
    this.remember(declared, ended);
    throw new Error("the seeding ended before it could be interrupted");
  }

  /** `refresh`: what is really there in the program's words, or undefined. */
  async refresh(declared: Declared): Promise<Readonly<Record<string, unknown>> | undefined> {
    const seen = await this.operate(declared, look);
    if (seen === undefined) return undefined;
    const { settled } = seen;
    this.before = { declared: { ...declared, ...this.room.asDeclared(declared, settled) }, settled };
    return this.room.asDeclared(declared, settled);
  }

  async destroy(declared: Declared): Promise<void> {
    await this.operate(declared, remove);
    this.before = null;
    this.seal = null;
  }

  async observe(declared: Declared): Promise<{ settled: Settled; live: Live }> {
    return this.operate(
      declared,
      ({ drivers }) => this.room.observe(declared, drivers, null) as Promise<{ settled: Settled; live: Live }>,
    );
  }

  /** The preview: from remembered facts only. */
  preview(declared: Declared | typeof absent): string {
    const said: string[] = [];
    const known = declared === absent ? this.before?.declared : declared;
    const object = this.objectOf(known);
    const seen: Observed<object, object> = { settled: this.before?.settled ?? (this.room.blank as object), live: null };
    const plan = this.room.plan(declared, seen, { identity: this.identity, before: this.before, object });
    reportPlan({ ...this.report(), say: (text) => void said.push(text) }, object, plan, this.room.say);
    return said.join("\n");
  }

  private get identity(): Identity {
    return { kind: this.room.kind, name: this.owner, seal: this.seal };
  }

  private remember(declared: Declared, { settled, seal }: Awaited<ReturnType<typeof converge>>): void {
    this.before = { declared, settled };
    this.seal = seal;
  }

  private async operate<T>(
    declared: Declared,
    work: (operation: Operation) => Promise<T>,
    report = this.report(),
    signal = new AbortController().signal,
  ): Promise<T> {
    const drivers = openDrivers({
      object: this.objectOf(declared),
      signal,
      report,
    });
    try {
      return await work({ room: this.room, declared, identity: this.identity, before: this.before, drivers });
    } finally {
      await drivers.close();
    }
  }

  /** By the resource's name, which the owner ends with. */
  private objectOf(declared: unknown): string {
    return this.room.object(declared, this.owner.split("/").slice(2).join("/"));
  }

  private report(): Report {
    return {
      say: (text) => void this.lines.push(text),
      warn: () => undefined,
      debug: () => undefined,
      progress: () => undefined,
    };
  }
}
