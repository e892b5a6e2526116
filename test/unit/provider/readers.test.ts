import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { sh } from "../../../provider/host/command";
import { closeHosts } from "../../../provider/host/pool";
import { silent } from "../../../provider/report";
import { openSharedReaders, readTogether, type Keeping } from "../../../provider/readers";

const owner = {
  owner: "shop/dev/orders",
  seal: null,
  object: "channel orders",
  report: silent,
  signal: new AbortController().signal,
};

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sluice-readers-"));
});
afterEach(async () => {
  await closeHosts();
  await rm(folder, { recursive: true, force: true });
});

/** A real command on this machine, which counts how often it ran. */
const counting = () => sh`echo x >>${folder}/ran; cat ${folder}/ran`;
const timesRun = async () => (await readFile(`${folder}/ran`, "utf8")).length / 2;

async function askTwice(keeping: Keeping, when: "at once" | "one after another"): Promise<number> {
  const shared = openSharedReaders(keeping);
  const ask = async () => (await (await shared.for(owner).host("local")).query(counting())).stdout;
  if (when === "at once") await Promise.all([ask(), ask()]);
  else {
    await ask();
    await ask();
  }
  await shared.close();
  return timesRun();
}

describe("readers of several objects", () => {
  test("ask once what two ask at the same time", async () => {
    expect(await askTwice("while asked", "at once")).toBe(1);
    await rm(`${folder}/ran`);
    expect(await askTwice("until closed", "at once")).toBe(1);
  });

  test("keep an answer for one look at many objects, and for a refresh no longer than it takes to arrive", async () => {
    expect(await askTwice("until closed", "one after another")).toBe(1);
    await rm(`${folder}/ran`);
    expect(await askTwice("while asked", "one after another")).toBe(2);
  });

  test("do not share a command that is given input, nor an error with later readers", async () => {
    const shared = openSharedReaders("until closed");
    const host = await shared.for(owner).host("local");
    const [one, two] = await Promise.all(["one", "two"].map((stdin) => host.query(sh`cat`, { stdin })));
    expect([one?.stdout, two?.stdout]).toEqual(["one", "two"]);
    const read = () => host.query(sh`cat ${folder}/late`);
    await expect(read()).rejects.toMatchObject({ code: "COMMAND_FAILED" });
    await host.query(sh`echo here >${folder}/late`);
    expect((await read()).stdout).toBe("here\n");
    await shared.close();
  });

  test("tell apart as whom and how a command runs", async () => {
    const shared = openSharedReaders("until closed");
    const host = await shared.for(owner).host("local");
    const strict = host.query(sh`exit 3`);
    await expect(strict).rejects.toMatchObject({ code: "COMMAND_FAILED" });
    expect((await host.query(sh`exit 3`, { accept: [3] })).exitCode).toBe(3);
    await shared.close();
  });
});

test("work that reads together ends at once when it is told to stop", async () => {
  const told = new AbortController();
  const reading = readTogether({ ...owner, signal: told.signal }, () => {
    told.abort(new Error("the engine is gone"));
    return new Promise(() => undefined); // a server that never answers
  });
  await expect(reading).rejects.toThrow("the engine is gone");
});
