/** A file may hold several dumps, one after the other. The moment at which each was taken, as it states it. Pure. */
import { isGtidSet, parseGtidSet, renderGtidSet, uniteGtidSets } from "../../gtid";

export interface DumpPart {
  /** Canonical; empty: the server had executed nothing. Undefined: not said. */
  readonly gtidSet: string | undefined;
  /** `binlog.000007:197` of the dumped server, else of the server it replicates from. */
  readonly position: string | undefined;
  /** It ends as the program ends a finished dump. */
  readonly complete: boolean;
}

type PositionOf = "dumped-server" | "its-source";

interface Part {
  readonly gtids: string[];
  readonly positions: Map<PositionOf, string>;
  ended: boolean;
}

export class DumpParts {
  readonly #parts: Part[] = [];
  readonly #unreadable: string[] = [];
  #hasBegun = false;

  /** The head of a dump. Lines above the first head belong to the first part. */
  begin(): void {
    if (this.#hasBegun) this.#parts.push(newPart());
    else this.current();
    this.#hasBegun = true;
  }

  end(): void {
    this.current().ended = true;
  }

  /** mydumper writes its heading in several forms; only what follows an end is a new dump. */
  get isEnded(): boolean {
    return this.#parts.at(-1)?.ended ?? false;
  }

  addGtids(text: string): void {
    // MariaDB's GTIDs are of another kind, and a MySQL replica cannot use them.
    if (/^\s*\d+-\d+-\d+(\s*,\s*\d+-\d+-\d+)*\s*$/.test(text)) return;
    if (isGtidSet(text)) this.current().gtids.push(text);
    else this.addUnreadable(text);
  }

  addUnreadable(text: string): void {
    this.#unreadable.push(text.trim().slice(0, shownCharacters));
  }

  addPosition(position: string, of: PositionOf): void {
    const { positions } = this.current();
    const before = positions.get(of);
    // Two positions in one dump are both kept, so that they differ from one.
    positions.set(of, before === undefined || before === position ? position : `${before} and ${position}`);
  }

  get unreadable(): readonly string[] {
    return this.#unreadable;
  }

  finish(): readonly DumpPart[] {
    return this.#parts.map(({ gtids, positions, ended }) => ({
      gtidSet: gtids.length === 0 ? undefined : renderGtidSet(uniteGtidSets(...gtids.map(parseGtidSet))),
      position: positions.get("dumped-server") ?? positions.get("its-source"),
      complete: ended,
    }));
  }

  private current(): Part {
    const last = this.#parts.at(-1);
    if (last !== undefined) return last;
    const first = newPart();
    this.#parts.push(first);
    return first;
  }
}

const shownCharacters = 200; // enough to find the statement in the file again

const newPart = (): Part => ({ gtids: [], positions: new Map(), ended: false });
