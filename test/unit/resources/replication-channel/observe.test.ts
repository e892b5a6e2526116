import { SluiceError } from "../../../../provider/errors";
import type { HostReader } from "../../../../provider/host/host";
import type { Readers } from "../../../../provider/room";
import { absent } from "../../../../provider/plan/plan";
import { blank, status, unseenBecause, type Settled } from "../../../../resources/replication-channel/facts";
import { observe } from "../../../../resources/replication-channel/observe";
import { plan } from "../../../../resources/replication-channel/plan";
import { context, declared, settled, settledChannel } from "./samples";

const silent = new SluiceError({ code: "SERVER_NOT_ANSWERING", object: "server", what: "does not answer" });

/** A host on which the server is silent and its directory is there or not, on the file system that `findmnt` names. */
function look(kind: "absent" | "directory", findmnt: string): Readers {
  const host = {
    facts: () => Promise.resolve({ canBecomeRoot: false, uid: 0 }),
    inspect: () => Promise.resolve({ kind }),
    query: () => Promise.resolve({ stdout: findmnt }),
  } as unknown as HostReader;
  return { host: () => Promise.resolve(host), mysql: () => Promise.reject(silent) } as unknown as Readers;
}

const mount = { point: "/srv", type: "btrfs", root: "/", source: "/dev/sdb1", uuid: "8f1d" };
const remembered: Settled = settled(settledChannel(declared()), { mount });
const there = "/srv btrfs / /dev/sdb1 8f1d\n";

describe("a channel of a server that does not answer", () => {
  test("is as it was while the server's directory is there", async () => {
    expect((await observe(declared(), look("directory", there), remembered)).settled).toEqual(remembered);
  });

  test("is shown as not known, with the reason, on its own line and on its server's", () => {
    const seen = { settled: remembered, live: { kind: "silent", problem: silent, unmounted: null } } as const;
    const reason = { isWell: false, code: "SERVER_NOT_ANSWERING" };
    expect(status(declared(), seen, "channel orders@stage-1:3307")).toMatchObject({
      shows: {
        below: { version: null, health: { ...reason, words: "does not answer" } },
        flow: { lagSeconds: null },
      },
      health: { ...reason, words: "server: does not answer" },
    });
  });

  test("is gone with that directory", async () => {
    expect((await observe(declared(), look("absent", there), remembered)).settled).toEqual(blank);
  });

  test("is not gone when the file system of that directory is not mounted", async () => {
    const seen = await observe(declared(), look("absent", "/ ext4 / /dev/sda1 77aa\n"), remembered);
    expect(seen.settled).toEqual(remembered);
    expect(unseenBecause(seen, "channel orders")).toMatchObject({ code: "STORAGE_NOT_MOUNTED" });
    for (const wanted of [declared(), absent] as const)
      expect(() => plan(wanted, seen, context(declared()))).toThrow(/STORAGE_NOT_MOUNTED/);
  });
});
