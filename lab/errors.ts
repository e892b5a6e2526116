/** An error of the lab: a first line that is complete alone, then what to do. */
export class LabError extends Error {
  override readonly name = "LabError";

  constructor(what: string, detail: { readonly found?: string; readonly needs?: string; readonly fix?: string } = {}) {
    const lines = (["found", "needs", "fix"] as const).flatMap((key) => {
      const text = detail[key];
      return text === undefined ? [] : [`  ${key.padEnd(7)} ${text.split("\n").join("\n          ")}`];
    });
    super([what, ...lines].join("\n"));
    this.stack = this.message;
  }
}
