import type { Mount } from "../../provider/storage/mount";

/** A host that is reached as root. */
export const hostAt = (address: string) => ({ address, user: "root", hostKey: "SHA256:x" });

/** The file system that directories of servers are on. */
export const mount: Mount = {
  point: "/srv",
  type: "btrfs",
  root: "/",
  source: "/dev/sdb1",
  uuid: "8f6f2f3a-0a4c-4d5e-9f6a-3d2f1e0c9b8a",
};
