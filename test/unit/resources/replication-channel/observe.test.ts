import { SluiceError } from "../../../../provider/errors";
import type { HostReader } from "../../../../provider/host/host";
import type { Readers } from "../../../../provider/room";
import { absent } from "../../../../provider/plan/plan";
import { blank, status, unseenBecause, type Settled } from "../../../../resources/replication-channel/facts";
import { observe } from "../../../../resources/replication-channel/observe";
import { plan } from "../../../../resources/replication-channel/plan";
import { mount } from "../../../samples/host";
import { context, declare, settled, settledChannel } from "../../../samples/replication-channel";

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

const remembered: Settled = settled(settledChannel(declare()), { mount });
const there = `${[mount.point, mount.type, mount.root, mount.source, mount.uuid].join(" ")}\n`;

describe("a channel of a server that does not answer", () => {
  test("is as it was while the server's directory is there", async () => {
    expect((await observe(declare(), look("directory", there), remembered)).settled).toEqual(remembered);
  });

  test("is shown as not known, with the reason, on its own line and on its server's", () => {
    const seen = { settled: remembered, live: { kind: "silent", problem: silent, unmounted: null } } as const;
    const reason = { isWell: false, code: "SERVER_NOT_ANSWERING" };
    expect(status(declare(), seen, "channel orders@stage-1:3307")).toMatchObject({
      shows: {
        below: { version: null, health: { ...reason, words: "does not answer" } },
        flow: { lagSeconds: null },
      },
      health: { ...reason, words: "server: does not answer" },
    });
  });

  test("is gone with that directory", async () => {
    expect((await observe(declare(), look("absent", there), remembered)).settled).toEqual(blank);
  });

  test("is not gone when the file system of that directory is not mounted", async () => {
    const seen = await observe(declare(), look("absent", "/ ext4 / /dev/sda1 77aa\n"), remembered);
    expect(seen.settled).toEqual(remembered);
    expect(unseenBecause(seen, "channel orders")).toMatchObject({ code: "STORAGE_NOT_MOUNTED" });
    for (const wanted of [declare(), absent] as const)
      expect(() => plan(wanted, seen, context(declare()))).toThrow(/STORAGE_NOT_MOUNTED/);
  });
});
