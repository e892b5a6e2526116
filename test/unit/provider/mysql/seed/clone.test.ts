import { seedFromClone } from "../../../../../provider/mysql/seed/clone";
import type { Seeding } from "../../../../../provider/mysql/seed/run";

/** The server, its host and the source must not be touched: whatever is asked beyond the server's name fails. */
const seeding = {
  instance: { object: "staging database orders@stage-1:3307" },
  get host(): never {
    throw new Error("the host was touched");
  },
  connect: () => Promise.reject(new Error("the server was touched")),
} as unknown as Seeding;

const clone = (tls: { readonly ca: string; readonly verifyIdentity?: boolean } | "required") =>
  seedFromClone(seeding, { source: { address: "db-1", port: 3306, user: "sync", password: "s3cret", tls } });

test.each([[true], [undefined]])(
  "a clone with verifyIdentity %s is refused before anything is touched",
  async (given) => {
    const tls = given === undefined ? { ca: "PEM" } : { ca: "PEM", verifyIdentity: given };
    await expect(clone(tls)).rejects.toMatchObject({
      code: "SOURCE_NOT_SUPPORTED",
      problem: {
        object: "staging database orders@stage-1:3307",
        what: expect.stringMatching(/^cannot be cloned with `verifyIdentity: true`: CLONE verifies the CA/) as string,
        fix: 'use `seed: "dump"`, or set `source.tls.verifyIdentity: false`',
      },
    });
  },
);

test.each([[{ ca: "PEM", verifyIdentity: false }], ["required" as const]])(
  "a clone with %j goes on to the host",
  async (tls) => {
    await expect(clone(tls)).rejects.toThrow("the host was touched");
  },
);
