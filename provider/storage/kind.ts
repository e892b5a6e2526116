import { sh } from "../host/command";
import type { HostReader } from "../host/host";

/** What a directory's file system can do for copies of it. `directory`: nothing but copying byte by byte. */
export type StorageKind = "btrfs" | "xfs" | "zfs" | "lvm" | "directory";

/** Looks at the file system of the path, or of the nearest parent that exists. */
export async function readStorageKind(host: HostReader, path: string): Promise<StorageKind> {
  const { stdout } = await host.query(sh`
    at=${path}
    while [ ! -e "$at" ]; do at=$(dirname "$at"); done
    df --output=fstype,source "$at" | tail -n 1`);
  const [type = "", device = ""] = stdout.trim().split(/\s+/);
  if (type === "btrfs" || type === "zfs" || type === "xfs") return type;
  return device.startsWith("/dev/mapper/") ? "lvm" : "directory";
}
