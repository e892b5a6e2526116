import { readFile } from "node:fs/promises";
import path from "node:path";
import { openProgram, type Program } from "../test/harness/program";
import { benchDirectory, type Place } from "./place";

export type Method = "dump" | "clone";

/** What one run of the CLI took. */
export interface Timed {
  readonly seconds: number;
  readonly output: string;
}

const graceSeconds = 30; // an interrupted CLI ends its provider within 5 s (provider/pulumi/engine.ts)

/** Runs the CLI, seen from outside: process start to process end. */
export async function time(program: Program, args: readonly string[], limitSeconds: number): Promise<Timed> {
  const startedAt = performance.now();
  const { child, ended } = program.start(args);
  const end = (signal: NodeJS.Signals) => () => {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  };
  const timers = [
    setTimeout(end("SIGINT"), limitSeconds * 1000),
    setTimeout(end("SIGKILL"), (limitSeconds + graceSeconds) * 1000),
  ];
  const { code, output } = await ended;
  timers.forEach(clearTimeout);
  const seconds = (performance.now() - startedAt) / 1000;
  if (code === 0) return { seconds, output };
  const limit = seconds >= limitSeconds ? `, the limit of ${String(limitSeconds)} s was reached` : "";
  throw new Error(`pulumi ${args.join(" ")} ended with ${String(code)}${limit}\n${output}`);
}

const sources = (name: string): string => path.join(__dirname, "programs", name);

/** What Pulumi itself takes: a program without resources, and one with resources that do nothing. */
export const openBare = (name: "empty" | "plain"): Promise<Program> => openProgram(`bench-${name}`, sources(name));

export const oursDirectory = (method: Method): string => `${benchDirectory}/ours-${method}`;

/** A staging database and its channel. */
export async function openPair(place: Place, method: Method): Promise<Program> {
  const program = await openProgram(`bench-${method}`, sources("pair"));
  const { address, port, user, staging } = place;
  const host = { address: staging.address, user: staging.user, hostKey: staging.hostKeyFingerprint };
  await program.set("source", JSON.stringify({ address, port, user }));
  await program.set("sourcePassword", place.password, "secret");
  await program.set("host", JSON.stringify(host));
  await program.set("sshKey", await readFile(staging.privateKeyPath, "utf8"), "secret");
  await program.set("directory", oursDirectory(method));
  await program.set("port", "3307");
  await program.set("seed", method);
  await setVariant(program, "first");
  return program;
}

/** Two declarations that differ in something each resource changes in place. */
export async function setVariant(program: Program, variant: "first" | "second"): Promise<void> {
  await program.set("maxConnections", variant === "first" ? "151" : "152");
  await program.set("connectRetrySeconds", variant === "first" ? "60" : "61");
}
