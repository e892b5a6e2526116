import { createHash, timingSafeEqual } from "node:crypto";

/**
 * Whether caching_sha2_password's `authentication_string` (`$A$005$`, a salt of 20 bytes, a digest of 43 characters) was made from
 * this password: SHA-crypt with SHA-256 (Drepper, "Unix crypt using SHA-256 and SHA-512"; sql/auth and mysys/crypt_genhash_impl.cc).
 * A login would tell only of accounts that may come from here, and would count as a failed one.
 */
export function isPasswordOf(authentication: Buffer, password: string): boolean {
  const head = /^\$A\$([0-9A-F]{3})\$$/.exec(authentication.subarray(0, headBytes).toString("latin1"));
  if (head?.[1] === undefined || authentication.length !== headBytes + saltBytes + digestCharacters) return false;
  const salt = authentication.subarray(headBytes, headBytes + saltBytes);
  const made = shaCrypt(Buffer.from(password, "utf8"), salt, Number.parseInt(head[1], 16) * roundsUnit);
  return timingSafeEqual(Buffer.from(made, "latin1"), authentication.subarray(headBytes + saltBytes));
}

const headBytes = "$A$005$".length;
const saltBytes = 20;
const digestCharacters = 43;
const roundsUnit = 1000; // sql/auth/sha2_password.cc: the rounds are stored in thousands

const sha256 = (...parts: readonly Buffer[]): Buffer =>
  parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();

/** `length` bytes of a block that is repeated. */
const repeated = (block: Buffer, length: number): Buffer => Buffer.alloc(length, block);

function shaCrypt(key: Buffer, salt: Buffer, rounds: number): string {
  const between = sha256(key, salt, key);
  const bits: Buffer[] = [];
  for (let count = key.length; count > 0; count >>= 1) bits.push(count % 2 === 1 ? between : key);
  let digest = sha256(key, salt, repeated(between, key.length), ...bits);
  const keys = repeated(sha256(...Array.from({ length: key.length }, () => key)), key.length);
  const salts = repeated(sha256(...Array.from({ length: 16 + (digest[0] ?? 0) }, () => salt)), salt.length);
  for (let round = 0; round < rounds; round += 1)
    digest = sha256(
      round % 2 === 1 ? keys : digest,
      ...(round % 3 === 0 ? [] : [salts]),
      ...(round % 7 === 0 ? [] : [keys]),
      round % 2 === 1 ? digest : keys,
    );
  return encode(digest);
}

const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** The order in which SHA-crypt takes the digest's bytes, three for four characters. */
const order = [
  [0, 10, 20],
  [21, 1, 11],
  [12, 22, 2],
  [3, 13, 23],
  [24, 4, 14],
  [15, 25, 5],
  [6, 16, 26],
  [27, 7, 17],
  [18, 28, 8],
  [9, 19, 29],
] as const;

function encode(digest: Buffer): string {
  const byte = (at: number) => digest[at] ?? 0;
  const characters = (value: number, count: number) =>
    Array.from({ length: count }, (_, at) => alphabet.charAt((value >> (6 * at)) & 63)).join("");
  const threes = order.map(([a, b, c]) => characters((byte(a) << 16) | (byte(b) << 8) | byte(c), 4));
  return `${threes.join("")}${characters((byte(31) << 8) | byte(30), 3)}`;
}
