import { parseArguments } from "../../../commands/arguments";
import { isProblem } from "../../../provider/errors";

const refusal = (...words: string[]): string => {
  try {
    parseArguments(words);
  } catch (error) {
    if (isProblem(error, "ARGUMENT_INVALID")) return error.message;
    throw error;
  }
  throw new Error(`nothing refused ${words.join(" ")}`);
};

describe("the command line of sluice", () => {
  test("no word at all asks for help, and so does --help behind any command", () => {
    for (const words of [[], ["help"], ["--help"], ["-h"], ["status", "--help"]])
      expect(parseArguments(words)).toEqual({ command: "help" });
  });

  test("--version asks for the version", () => {
    expect(parseArguments(["--version"])).toEqual({ command: "version" });
  });

  test("status takes its options in any order and in both forms", () => {
    expect(parseArguments(["status"])).toEqual({ command: "status", json: false });
    expect(parseArguments(["status", "--stack", "dev", "--json", "--cwd=examples/a=b"])).toEqual({
      command: "status",
      json: true,
      stack: "dev",
      cwd: "examples/a=b",
    });
  });

  test("a mistyped command is refused with the one that was meant", () => {
    expect(refusal("statsu")).toBe(
      "sluice: has no command statsu; did you mean status? (ARGUMENT_INVALID)\n  fix     see `sluice help`",
    );
  });

  test("a command nothing is near to is refused without a guess", () => {
    expect(refusal("drop-everything")).toContain("has no command drop-everything (ARGUMENT_INVALID)");
  });

  test("a mistyped option is refused with the one that was meant", () => {
    expect(refusal("status", "--jsn")).toContain("has no option --jsn; did you mean --json?");
  });

  test("an option whose value is missing is refused, also where another option follows", () => {
    expect(refusal("status", "--stack")).toContain("option --stack needs a value");
    expect(refusal("status", "--stack", "--json")).toContain("option --stack needs a value");
    expect(refusal("status", "--cwd=")).toContain("option --cwd needs a value");
  });
});
