import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseStack, readStack } from "../../../../commands/status/stack";
import { SluiceError } from "../../../../provider/errors";
import { closeHosts, withHost } from "../../../../provider/host/pool";

const secret = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  plaintext: JSON.stringify(value),
});

const exported = (...resources: object[]) => JSON.stringify({ version: 3, deployment: { resources } });
const type = "pulumi-nodejs:dynamic/sluice:StagingDatabase";

let folder: string;
const pathBefore = process.env["PATH"];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sluice-stack-"));
});
afterEach(async () => {
  process.env["PATH"] = pathBefore;
  await closeHosts();
  await rm(folder, { recursive: true, force: true });
});

/** A CLI that answers like Pulumi's; a real program on a real PATH. */
async function putPulumi(script: string): Promise<void> {
  const program = path.join(folder, "pulumi");
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
  process.env["PATH"] = `${folder}:${pathBefore ?? ""}`;
}

const read = (place: { stack?: string; cwd?: string } = {}) => withHost("local", (host) => readStack(host, place));

async function refusal(): Promise<SluiceError> {
  const error: unknown = await read().catch((caught: unknown) => caught);
  if (error instanceof SluiceError) return error;
  throw new Error("nothing was refused");
}

describe("a stack's state", () => {
  test("gives resources of Sluice and no others, secrets at any depth plain", () => {
    const text = exported(
      { urn: "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev", type: "pulumi:pulumi:Stack" },
      {
        urn: `urn:pulumi:dev::shop::${type}::orders`,
        type,
        inputs: { port: 3307, host: { address: "stage-1", privateKey: secret("KEY") } },
        outputs: { port: 3308, host: { address: "stage-1", privateKey: secret("KEY") }, list: secret(["a", { b: 1 }]) },
      },
    );
    expect(parseStack(text)).toEqual([
      {
        urn: `urn:pulumi:dev::shop::${type}::orders`,
        kind: "StagingDatabase",
        inputs: { port: 3307, host: { address: "stage-1", privateKey: "KEY" } },
        outputs: { port: 3308, host: { address: "stage-1", privateKey: "KEY" }, list: ["a", { b: 1 }] },
      },
    ]);
  });

  test("leaves out what only waits to be deleted after a replacement", () => {
    expect(parseStack(exported({ urn: "urn:a", type, delete: true, outputs: {} }))).toEqual([]);
  });

  test("of an empty stack is not a resource", () => {
    expect(parseStack('{"version":3,"deployment":{"manifest":{}}}')).toEqual([]);
    expect(parseStack('{"version":3,"deployment":null}')).toEqual([]);
  });

  test("is asked for with the stack and the folder as words of their own", async () => {
    await putPulumi(`printf '%s\\n' "$@" > ${folder}/words; echo '{"deployment":{}}'`);
    await expect(read({ stack: "it's $HOME", cwd: folder })).resolves.toEqual([]);
    const words = await withHost("local", (host) => host.readFile(`${folder}/words`));
    expect(words).toBe(`stack\nexport\n--show-secrets\n--non-interactive\n--cwd\n${folder}\n--stack\nit's $HOME\n`);
  });

  test("cannot be read without a CLI on PATH, and the error says how to get it", async () => {
    process.env["PATH"] = "/usr/bin:/bin";
    expect((await refusal()).message).toMatch(
      /^sluice status: cannot read the stack's state, there is no Pulumi CLI on PATH \(STATE_UNREADABLE\)\n/,
    );
  });

  test.each([
    ["error: no stack selected; please use `pulumi stack select`", "no stack is selected", "--stack NAME"],
    [
      "error: no Pulumi.yaml project file found (searching upwards from /tmp)",
      "this is not the folder of a Pulumi program",
      "--cwd DIR",
    ],
    [
      "error: get stack secrets manager: passphrase must be set with PULUMI_CONFIG_PASSPHRASE",
      "its passphrase is not set",
      "PULUMI_CONFIG_PASSPHRASE",
    ],
  ])("cannot be read where the CLI says `%s`", async (said, why, fix) => {
    await putPulumi(`echo '${said.replaceAll("'", "")}' >&2; exit 255`);
    const { problem } = await refusal();
    expect(problem.what).toBe(`cannot read the stack's state, ${why}`);
    expect(problem.fix).toContain(fix);
    expect(problem.detail).toContain("error:");
  });

  test("never reaches an error, where the CLI fails after it has printed it, and where it is cut", async () => {
    for (const script of [`echo '{"deployment": "hunter2"}'; exit 1`, `echo '{"deployment": hunter2'`]) {
      await putPulumi(script);
      const { message } = await refusal();
      expect(message).toContain("STATE_UNREADABLE");
      expect(message).not.toContain("hunter2");
    }
  });
});
