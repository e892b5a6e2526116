import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { LabHost } from "../../lab/index.ts";
import { requireLab } from "../harness/lab";
import { runScript, type Place } from "../harness/scenario-lab";
import { SecretWatch } from "../harness/scenario-secrets";

/** The other tests of this floor trust it to see a leak. */
const secret = `leaked-${randomBytes(9).toString("hex")}`; // of this run: the host's journal keeps it
const place: Place = { directory: "/srv/e2e/leaks", port: 3451, source: "" };
let staging: LabHost;
let folder: string;

beforeAll(async () => {
  staging = (await requireLab()).host("staging");
  folder = await mkdtemp(path.join(tmpdir(), "sluice-leaks-"));
});

afterAll(async () => {
  await runScript(staging, 'systemctl stop e2e-leak || :; rm -rf "$DIRECTORY"', place);
  await rm(folder, { recursive: true });
});

const program = () => ({ directory: folder, backend: folder });

test("what is clean passes", async () => {
  await runScript(staging, `mkdir -p "$DIRECTORY"; umask 077; echo ${secret} >"$DIRECTORY/private"`, place);
  await new SecretWatch([secret]).expectNone(program(), staging, place);
});

test("a secret in a text, a process's words, its environment, the state, and an open file is found", async () => {
  const watch = new SecretWatch([secret]);
  watch.note(`password ${secret}`);
  await writeFile(path.join(folder, "state.json"), JSON.stringify({ password: secret }));
  await runScript(
    staging,
    `echo ${secret} >"$DIRECTORY/open"
     systemd-run --quiet --unit=e2e-leak --property=Type=exec --setenv=WORD=${secret} sh -c 'while :; do sleep 60; done' ${secret}`,
    place,
  );
  const found = watch.expectNone(program(), staging, place);
  for (const where of [
    "what the CLI printed",
    "state.json",
    "/srv/e2e/leaks/open on the staging host",
    "the command line of /usr/bin/sh",
    "the environment of /usr/bin/sh",
  ])
    await expect(found).rejects.toThrow(where);
});
