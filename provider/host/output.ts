import { StringDecoder } from "node:string_decoder";
import type { Readable } from "node:stream";
import type { HostProcess } from "./transport";

export const outputLimitBytes = 64 * 2 ** 20; // MySQL's default max_allowed_packet: no answer we read is larger than one packet

/** What a process prints, as text; a process that prints more than the limit is ended. */
export interface Output {
  stdout(): string;
  stderr(): string;
  overflowed(): boolean;
}

export function collect(process: HostProcess, onStdout: ((text: string) => void) | undefined): Output {
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
