import { codes } from "../../../provider/error-codes";
import { asProblem, isProblem, renderProblem, SluiceError, wordsOf } from "../../../provider/errors";

const problem = {
  code: "GTID_PURGED",
  object: "channel orders@stage-1:3307",
  what: "cannot start, the source no longer has what it needs",
  found: "source db-prod-1:3306 purged 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-8800\nreplica executed :1-5100",
  needs: "every transaction after :5100",
  fix: 'reseed the staging database (`reseed: "2"`)',
  step: "3 of 4, start-channel; steps 1-2 are done",
  detail: "error 1236, reported by the receiver",
} as const;

describe("an expected error", () => {
  test("says object, what, why and code in its first line, then found, needs, fix, step, cause", () => {
    expect(renderProblem(problem)).toMatchInlineSnapshot(`
"channel orders@stage-1:3307: cannot start, the source no longer has what it needs (GTID_PURGED)
  found   source db-prod-1:3306 purged 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-8800
          replica executed :1-5100
  needs   every transaction after :5100
  fix     reseed the staging database (\`reseed: "2"\`)
  step    3 of 4, start-channel; steps 1-2 are done
  cause   error 1236, reported by the receiver"
`);
  });

  test("leaves out what it does not know", () => {
    expect(renderProblem({ code: "LOCK_TAKEN", object: "a", what: "b", found: "" })).toBe("a: b (LOCK_TAKEN)");
  });

  test("has no JavaScript stack: Pulumi prints it", () => {
    const error = new SluiceError(problem);
    expect(error.stack).toBe(error.message);
    expect(String(error)).toBe(error.message);
  });

  test("is told apart by its code", () => {
    const error: unknown = new SluiceError(problem);
    expect([isProblem(error), isProblem(error, "GTID_PURGED"), isProblem(error, "LOCK_TAKEN")]).toEqual([
      true,
      true,
      false,
    ]);
    expect(isProblem(new Error("x"))).toBe(false);
  });
});

describe("an unexpected error", () => {
  test("becomes an expected one that carries its stack and says that it is a bug", () => {
    const bug = new TypeError("x is not a function\nat line two");
    const { problem: made } = asProblem("files a@local", bug);
    expect(made).toEqual({
      code: "INTERNAL_ERROR",
      object: "files a@local",
      what: "stopped by an unexpected error: x is not a function",
      fix: "this is a bug in pulumi-sluice: report it with these lines",
      detail: bug.stack,
      cause: bug,
    });
  });

  test("may be anything", () => {
    expect(asProblem("a", "just text").problem).toMatchObject({ what: "stopped by an unexpected error: just text" });
    expect(wordsOf("just text")).toBe("just text");
  });

  test("an expected one stays as it is", () => {
    const error = new SluiceError(problem);
    expect(asProblem("other", error)).toBe(error);
  });
});

test.each(Object.keys(codes) as (keyof typeof codes)[])("%s has a sentence", (code) => {
  expect(code).toMatch(/^[A-Z]+(_[A-Z0-9]+)+$/);
  expect(codes[code]).toMatch(/^(mysqld|[`A-Z]).{10,}[^.]\.$/);
});
