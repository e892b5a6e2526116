import { relative } from "node:path";
import type { AggregatedResult, Test, TestCaseResult, TestResult } from "@jest/test-result";

/** What `npm test` prints while slow tests run: each test as it ends, with its file and seconds; what failed again at the end. */
class TestProgress {
  private readonly root: string;

  constructor(settings: { readonly rootDir: string }) {
    this.root = settings.rootDir;
  }

  onTestFileStart(test: Test): void {
    say(`      ${this.nameOf(test.path)} starts`);
  }

  onTestCaseResult(test: Test, result: TestCaseResult): void {
    if (result.status === "pending" || result.status === "todo") return;
    const seconds = ((result.duration ?? 0) / 1000).toFixed(1);
    const mark = result.status === "passed" ? "  ok  " : "  FAIL";
    say(`${mark} ${this.nameOf(test.path)}: ${result.fullName} (${seconds} s)`);
    if (result.status === "failed") say(result.failureMessages.map(withoutStack).join("\n"));
  }

  onTestFileResult(test: Test, result: TestResult): void {
    if (result.testExecError !== undefined) say(`  FAIL ${this.nameOf(test.path)}\n${result.failureMessage ?? ""}`);
  }

  onRunComplete(_contexts: unknown, results: AggregatedResult): void {
    const failed = results.testResults.filter((file) => file.numFailingTests > 0 || file.testExecError !== undefined);
    for (const file of failed) say(`\n${this.nameOf(file.testFilePath)}\n${file.failureMessage ?? ""}`);
  }

  private nameOf(path: string): string {
    return relative(this.root, path);
  }
}

/** The stack comes with the summary at the end. */
function withoutStack(message: string): string {
  return message.replace(/\n\s+at [^]*$/, "").replace(/^/gm, "       ");
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

// jest wants a module that is the class.
module.exports = TestProgress;
