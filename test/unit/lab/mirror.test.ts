import { chooseMirror, firstUrlOf, parseIndexTargets } from "../../../lab/mirror.ts";

const targets = (...lines: string[]) => parseIndexTargets(`${lines.join("\n")}\n`);

test("the archive is chosen, not its security part and not another vendor's packages", () => {
  const found = targets(
    "https://packages.example/apt/|stable|main|Example",
    "http://mirror.example/debian-security/|bookworm-security|main|Debian",
    "http://mirror.example/debian/|bookworm-updates|main|Debian",
    "http://mirror.example/debian/|bookworm|main|Debian",
  );
  expect(chooseMirror(found)).toBe("http://mirror.example/debian");
});

test("before the first apt-get update no origin is known, and the path tells", () => {
  const found = targets("https://packages.example/apt/|stable|main|", "http://mirror.example/debian|bookworm|main|");
  expect(chooseMirror(found)).toBe("http://mirror.example/debian");
});

test("a mirror list file is chosen like a mirror, and its first address is taken", () => {
  const found = targets("mirror+file:/etc/apt/mirrors/debian.list|trixie|main|Debian");
  expect(chooseMirror(found)).toBe("mirror+file:/etc/apt/mirrors/debian.list");
  expect(firstUrlOf("# fast ones\nhttps://near.example/debian/\nhttps://far.example/debian\n")).toBe(
    "https://near.example/debian",
  );
  expect(firstUrlOf("# none\n")).toBeUndefined();
});

test("a machine without a Debian archive has no mirror", () => {
  expect(chooseMirror(targets("http://mirror.example/ubuntu/|noble|main|Ubuntu"))).toBeUndefined();
  expect(chooseMirror(parseIndexTargets(""))).toBeUndefined();
});
