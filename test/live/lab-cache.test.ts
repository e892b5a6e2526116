import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { LabError } from "../../lab/errors.ts";
import { ensureCached } from "../../lab/image.ts";

const quiet = () => undefined;
let cache: string;

beforeEach(async () => {
  cache = await mkdtemp(path.join(os.tmpdir(), "sluice-cache-"));
});

afterEach(() => rm(cache, { recursive: true, force: true }));

const build = (text: string) => async (partial: string) => writeFile(path.join(partial, "file"), text);
const target = (hash: string) => path.join(cache, `lab-image-${hash}`);

test("what is cached is made once, also by two at the same time", async () => {
  let builds = 0;
  const count = async (partial: string) => {
    builds += 1;
    await build("made")(partial);
  };
  await Promise.all([1, 2, 3].map(() => ensureCached(target("a"), "a test", quiet, count)));
  expect(builds).toBe(1);
  expect(await readFile(path.join(target("a"), "file"), "utf8")).toBe("made");
});

test("a build that fails leaves nothing, says what it was for, and can be repeated", async () => {
  const fail = () => Promise.reject(new LabError("no mirror"));
  await expect(ensureCached(target("a"), "building a test", quiet, fail)).rejects.toThrow("building a test: no mirror");
  expect(await readdir(cache)).toEqual(["lab-image.lock"]);
  await ensureCached(target("a"), "a test", quiet, build("second"));
  expect(await readFile(path.join(target("a"), "file"), "utf8")).toBe("second");
});

test("a killed build ends with its builder, mounts and all, and the next one starts over", async () => {
  const marker = `sluice-test-${process.pid}`;
  const program = `
    const { ensureCached } = await import(${JSON.stringify(path.join(__dirname, "../../lab/image.ts"))});
    const { run } = await import(${JSON.stringify(path.join(__dirname, "../../lab/run.ts"))});
    await ensureCached(${JSON.stringify(target("a"))}, "a test", console.log, async (partial) => {
      const script = 'mkdir "$1/mounted"; mount -t tmpfs ${marker} "$1/mounted"; echo mounted; sleep 600';
      await run("unshare", ["--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", script, "${marker}", partial], {
        endsWithUs: true,
        onLine: console.log,
      });
    });`;
  const builder = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => builder.stdout.once("data", resolve));
  const findWorkers = () => spawnSync("pgrep", ["--full", `^sh -ec .*${marker}`], { encoding: "utf8" }).stdout.trim();
  expect(findWorkers()).not.toBe("");
  builder.kill("SIGKILL");
  await ensureCached(target("a"), "a test", quiet, build("whole"));
  expect(findWorkers()).toBe("");
  expect(await readdir(target("a"))).toEqual(["file"]);
  expect((await readdir(cache)).sort()).toEqual(["lab-image-a", "lab-image.lock"]);
});

test("what was not used for a month goes when something new is made; what was used stays", async () => {
  for (const hash of ["old", "used"]) {
    await ensureCached(target(hash), "a test", quiet, build(hash));
    const longAgo = new Date(Date.now() - 40 * 86_400_000);
    await utimes(target(hash), longAgo, longAgo);
  }
  await ensureCached(target("used"), "a test", quiet, build("again"));
  await ensureCached(target("new"), "a test", quiet, build("new"));
  expect((await readdir(cache)).sort()).toEqual(["lab-image-new", "lab-image-used", "lab-image.lock"]);
  expect(await readFile(path.join(target("used"), "file"), "utf8")).toBe("used");
});
