/** Lets a limited number in at a time; the others wait in the order they came. */
export class Gate {
  #inside = 0;
  readonly #queue: (() => void)[] = [];

  constructor(private limit: number) {}

  get inside(): number {
    return this.#inside;
  }

  async enter(): Promise<void> {
    while (this.#inside >= this.limit) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#inside += 1;
  }

  leave(): void {
    this.#inside -= 1;
    this.#queue.shift()?.();
  }

  /** The other side allows fewer than assumed: as many as were open when one was refused, at least one. */
  narrow(): void {
    this.limit = Math.max(1, Math.min(this.limit, this.#inside - 1));
  }
}
