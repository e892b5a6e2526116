import { storageKindOf } from "../../../../provider/storage/kind";
import { isSameMount, parseMount, type Mount } from "../../../../provider/storage/mount";

const disk: Mount = { point: "/srv/mysql", type: "ext4", root: "/", source: "/dev/sdb1", uuid: "8f6f2f3a" };

test.each<[string, string, Mount | null]>([
  ["a disk", "/srv/mysql ext4 / /dev/sdb1 8f6f2f3a\n", disk],
  [
    "a share under a name with blanks, without an identifier",
    "/srv/my\\x20sql nfs4 / nas:/\\xc3\\xbc \n",
    { point: "/srv/my sql", type: "nfs4", root: "/", source: "nas:/ü", uuid: null },
  ],
  [
    "a directory of another file system",
    "/srv/mysql btrfs /@/mysql /dev/loop1 \n",
    { point: "/srv/mysql", type: "btrfs", root: "/@/mysql", source: "/dev/loop1", uuid: null },
  ],
  ["nothing that could be read", "", null],
])("%s", (_name, line, mount) => {
  expect(parseMount(line)).toEqual(mount);
});

test.each<[string, boolean, Partial<Mount>, Partial<Mount>]>([
  ["found as another device after a reboot", true, {}, { source: "/dev/sdc1" }],
  ["on another loop device, which has no identifier", true, { uuid: null }, { uuid: null, source: "/dev/loop7" }],
  ["whose identifier cannot be told this time", true, {}, { uuid: null, source: "/dev/sdc1" }],
  ["not mounted: the parent's is seen", false, {}, { point: "/", source: "/dev/sda1", uuid: "1" }],
  ["another disk at the same place", false, {}, { uuid: "9" }],
  ["another share at the same place", false, { uuid: null, source: "nas:/a" }, { uuid: null, source: "nas:/b" }],
  ["another volume", false, { uuid: null, source: "/dev/mapper/a" }, { uuid: null, source: "/dev/mapper/b" }],
  ["another subvolume, or what a bind mount hides", false, { root: "/@a" }, { root: "/@b" }],
])("a file system %s: the same is %s", (_name, same, was, is) => {
  expect(isSameMount({ ...disk, ...was }, { ...disk, ...is })).toBe(same);
});

test.each<[string, Mount | null]>([
  ["btrfs", { ...disk, type: "btrfs" }],
  ["lvm", { ...disk, source: "/dev/mapper/data-mysql" }],
  ["xfs", { ...disk, type: "xfs", source: "/dev/mapper/data-mysql" }],
  ["directory", disk],
  ["directory", null],
])("copies can use %s", (kind, mount) => {
  expect(storageKindOf(mount)).toBe(kind);
});
