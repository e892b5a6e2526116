import { scrub, scrubbing } from "../../../provider/report";

const hidden = "«secret»";

describe("scrub", () => {
  test("hides every occurrence", () => {
    expect(scrub("a hunter2 b hunter2", ["hunter2"])).toBe(`a ${hidden} b ${hidden}`);
  });

  test("a secret inside another leaves nothing behind", () => {
    expect(scrub("tell hunter2hunter3", ["hunter2", "hunter2hunter3"])).toBe(`tell ${hidden}`);
  });

  test("knows the forms of shell, JSON and URL", () => {
    const secret = `it's "a b"\n€`;
    const forms = [`it'\\''s "a b"\n€`, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
    for (const form of forms) expect(scrub(`<${form}>`, [secret])).toBe(`<${hidden}>`);
  });

  test("hides a line of a private key that is quoted alone, and leaves its frame", () => {
    const line = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ";
    const key = `-----BEGIN OPENSSH PRIVATE KEY-----\r\n${line}\r\n-----END OPENSSH PRIVATE KEY-----\r\n`;
    expect(scrub(`bad line ${line}`, [key])).toBe(`bad line ${hidden}`);
    expect(scrub("needs -----BEGIN OPENSSH PRIVATE KEY-----", [key])).toBe("needs -----BEGIN OPENSSH PRIVATE KEY-----");
  });

  test("a short secret is hidden if it is a word alone, not inside words", () => {
    expect(scrub("staging a@stage: password a.", ["a"])).toBe(`staging ${hidden}@stage: password ${hidden}.`);
  });

  test.each(["$&$1", "a.c*", "[x]", "(", "\\d+", "a|b", "^$", "😀😀", "\ud800abc"])("takes %j literally", (secret) => {
    expect(scrub(`x ${secret} y`, [secret])).toBe(`x ${hidden} y`);
    expect(scrub("abc 123 x", [secret])).toBe("abc 123 x");
  });

  test("no secret, no change", () => {
    expect(scrub("text", [])).toBe("text");
    expect(scrub("text", [""])).toBe("text");
  });
});

test("a scrubbing report hides secrets in every kind of line", () => {
  const lines: string[] = [];
  const add = (text: string) => lines.push(text);
  const report = scrubbing({ say: add, warn: add, debug: add, progress: add }, ["hunter2"]);
  report.say("1 hunter2");
  report.debug("2 hunter2");
  report.progress("3 hunter2");
  report.warn("4 hunter2");
  expect(lines).toEqual([`1 ${hidden}`, `2 ${hidden}`, `3 ${hidden}`, `4 ${hidden}`]);
});
