import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { findMissing, missingCapabilities, renderInstallCommand, searchPath } from "../../../lab/requirements.ts";

test("a machine with nothing lacks every program, and one apt-get line brings them, each package once", async () => {
  const missing = await findMissing([]);
  expect(missing.map(({ program }) => program)).toEqual(
    expect.arrayContaining(["systemd-nspawn", "debootstrap", "ip", "mkfs.btrfs"]),
  );
  const command = renderInstallCommand(missing);
  expect(command).toMatch(/^apt-get install --no-install-recommends [a-z0-9 -]+$/);
  expect(command.split(" ").filter((word) => word === "openssh-client")).toEqual(["openssh-client"]);
});

test("a program counts when it is there and may be run", async () => {
  const directory = await mkdtemp(path.join(os.tmpdir(), "sluice-programs-"));
  try {
    await writeFile(path.join(directory, "debootstrap"), "#!/bin/sh\n", { mode: 0o755 });
    await writeFile(path.join(directory, "ip"), "");
    await chmod(path.join(directory, "ip"), 0o644);
    const missing = (await findMissing(["/nowhere", directory])).map(({ program }) => program);
    expect(missing).not.toContain("debootstrap");
    expect(missing).toContain("ip");
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("the sbin directories are searched even where PATH leaves them out", () => {
  expect(searchPath({ PATH: "/home/me/bin:/usr/bin" })).toEqual([
    "/home/me/bin",
    "/usr/bin",
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
    "/bin",
  ]);
});

test("a root without the right to mount is found out by the kernel's own list", () => {
  expect(missingCapabilities("Name:\tnode\nCapEff:\t000001ffffffffff\n")).toEqual([]);
  expect(missingCapabilities("CapEff:\t00000000a80425fb\n")).toEqual(["CAP_NET_ADMIN", "CAP_SYS_ADMIN"]);
  expect(missingCapabilities("")).toContain("CAP_SYS_ADMIN");
});
