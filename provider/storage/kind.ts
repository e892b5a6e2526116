import type { Mount } from "./mount";

/** What a directory's file system can do for copies of it. `directory`: nothing but copying byte by byte. */
export type StorageKind = "btrfs" | "xfs" | "zfs" | "lvm" | "directory";

export function storageKindOf(mount: Mount | null): StorageKind {
  if (mount === null) return "directory";
  const { type, source } = mount;
  if (type === "btrfs" || type === "zfs" || type === "xfs") return type;
  return source.startsWith("/dev/mapper/") ? "lvm" : "directory";
}
