import { randomBytes } from "node:crypto";

/** Where the quick start runs: what its program is configured with, and how to look around. */
export interface Place {
  /** Said before anything else: what this is. */
  readonly intro: string;
  readonly source: { readonly address: string; readonly port: number; readonly user: string };
  readonly sourcePassword: string;
  readonly host?: { readonly address: string; readonly user: string; readonly hostKey: string };
  readonly sshKey?: string;
  readonly directory: string;
  readonly port: number;
  /** Runs SQL on the source, or on the staging server, and gives its output. */
  sourceSql(statement: string): Promise<string>;
  stagingSql(statement: string): Promise<string>;
  /** Commands a reader can type. */
  readonly lookAround: readonly string[];
}

/** A table and a row of the quick start's own. */
export const proof = () => ({ schema: "shop", table: "sluice_quickstart", word: randomBytes(6).toString("hex") });
