import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { changerFunction, parseChanger, pathUnsafe, type Changer } from "../../../../provider/host/trust";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice trust-"));
  chmodSync(folder, 0o755);
});
afterEach(() => rmSync(folder, { recursive: true }));

const me = process.getuid?.() ?? 0;
const changer = (path: string, last: "all" | "parents", trusted = me): Changer | undefined => {
  const text = `${changerFunction(trusted).text}\nchanger "$1" "$2" 0`;
  return parseChanger(execFileSync("sh", ["-c", text, "sh", path, last]).toString());
};
const make = (name: string, mode = 0o755): string => {
  const path = join(folder, name);
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
};

test("a path of our own can be changed by no other user, whether it exists or not", () => {
  make("a");
  expect(changer(join(folder, "a"), "all")).toBeUndefined();
  expect(changer(join(folder, "a", "b", "c"), "all")).toBeUndefined();
  expect(changer("/", "all")).toBeUndefined();
});

test("a directory that every user may write is named, and not a sticky one", () => {
  const open = make("open", 0o777);
  expect(changer(join(open, "file"), "parents")).toEqual({ who: "every user", step: open });
  chmodSync(open, 0o1777);
  expect(changer(join(open, "file"), "parents")).toBeUndefined();
});

test("a symlink is followed to each directory on its way", () => {
  const open = make("open", 0o777);
  mkdirSync(join(open, "inner"));
  symlinkSync("open/inner", join(folder, "link"));
  symlinkSync("link", join(folder, "link to link"));
  expect(changer(join(folder, "link to link", "file"), "parents")).toEqual({ who: "every user", step: open });
  symlinkSync("circle", join(folder, "circle"));
  expect(changer(join(folder, "circle"), "all")?.who).toBe("a circle of symlinks");
});

const testAsRoot = me === 0 ? test : test.skip;

testAsRoot("what belongs to another user is named; a last file may, but in a sticky directory (needs root)", () => {
  const theirs = make("theirs");
  chownSync(theirs, 65_534, 65_534);
  expect(changer(join(theirs, "file"), "all")).toEqual({ who: "user 65534", step: theirs });
  expect(changer(join(theirs, "file"), "all", 65_534)).toBeUndefined();
  const shared = make("shared", 0o1777);
  for (const directory of [folder, shared]) {
    writeFileSync(join(directory, "file"), "");
    chownSync(join(directory, "file"), 65_534, 65_534);
  }
  expect(changer(join(folder, "file"), "parents")).toBeUndefined();
  expect(changer(join(shared, "file"), "parents")).toEqual({ who: "user 65534", step: join(shared, "file") });
  const group = make("group", 0o775);
  chownSync(group, 0, 50);
  expect(changer(join(group, "file"), "all")).toEqual({ who: "group 50", step: group });
});

/** Most machines have no setfacl: this is what `ls -ldn` prints for a directory on which it was run. */
const changerByAcl = (mode: string): Changer | undefined => {
  const programs = make(`programs of ${mode}`);
  const text = `#!/bin/sh\necho '${mode} 2 0 0 4096 Nov 21 12:00 /srv/shared'\n`;
  writeFileSync(join(programs, "ls"), text, { mode: 0o755 });
  const command = `${changerFunction(0).text}\nchanger /srv/shared all 0`;
  const env = { ...process.env, PATH: `${programs}:${process.env["PATH"] ?? ""}` };
  return parseChanger(execFileSync("sh", ["-c", command], { env }).toString());
};

test("a directory of root's group that an ACL lets others write is named", () => {
  expect(changerByAcl("drwxrwxr-x+")).toEqual({ who: "an entry of its ACL", step: "/srv/shared" });
  expect(changerByAcl("drwxr-xr-x+")).toBeUndefined();
  expect(changerByAcl("drwxrwxr-x")).toBeUndefined();
  expect(changerByAcl("drwxrwxr-x.")).toBeUndefined();
});

test("a refusal names who can change what, and the command that ends it", () => {
  const say = (who: string) => pathUnsafe("host a", "root does not read /a/b", { who, step: "/a" }).problem;
  expect(say("user 107")).toMatchObject({
    code: "STORAGE_PATH_UNSAFE",
    what: "root does not read /a/b: user 107 can change /a",
    fix: "chown -h root: /a",
  });
  expect(say("group 50").fix).toBe("chmod g-w /a");
  expect(say("every user").fix).toBe("chmod o-w /a");
  expect(say("an entry of its ACL").fix).toBe("chmod g-w /a");
});
