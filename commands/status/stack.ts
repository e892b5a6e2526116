import { SluiceError } from "../../provider/errors";
import { sh } from "../../provider/host/command";
import type { HostReader } from "../../provider/host/host";
import { signature } from "../../provider/pulumi/wire";

/** One resource of Sluice, as the stack's state holds it: secrets plain, in memory only. */
export interface StackObject {
  readonly urn: string;
  /** `StagingDatabase`. */
  readonly kind: string;
  /** What the program declared, with defaults. `pulumi refresh` leaves it as it is. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** After a refresh these say what is really set: drift and failures would pass for declared. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

export interface Place {
  readonly stack?: string | undefined;
  readonly cwd?: string | undefined;
}

const exportSeconds = 60; // a remote backend answers in seconds; a minute leaves room for a slow network
const typePrefix = "pulumi-nodejs:dynamic/sluice:";

/** Asks the Pulumi CLI on PATH for the state. What it prints holds secrets: it never reaches an error or a file. */
export async function readStack(host: HostReader, { stack, cwd }: Place): Promise<StackObject[]> {
  const folder = cwd === undefined ? [] : ["--cwd", cwd];
  const selected = stack === undefined ? [] : ["--stack", stack];
  const command = sh`pulumi stack export --show-secrets --non-interactive ${folder} ${selected}`;
  const { exitCode, stdout, stderr } = await host.query(command, { withinSeconds: exportSeconds, accept: anyExitCode });
  if (exitCode !== 0) throw unreadable(exitCode, stderr.trim());
  return parseStack(stdout);
}

/** Judged here, because the error of a refused command may quote what it printed. */
const anyExitCode = Array.from({ length: 256 }, (_, code) => code);
const programNotFound = 127;

/** The resources of Sluice, without those that only wait to be deleted after a replacement. */
export function parseStack(text: string): StackObject[] {
  const { deployment } = parseExport(text);
  return (deployment?.resources ?? [])
    .filter(({ type, delete: waitsForDeletion }) => type.startsWith(typePrefix) && waitsForDeletion !== true)
    .map(({ urn, type, inputs, outputs }) => ({
      urn,
      kind: type.slice(typePrefix.length),
      inputs: withPlainSecrets(inputs ?? outputs ?? {}) as Record<string, unknown>,
      outputs: withPlainSecrets(outputs ?? {}) as Record<string, unknown>,
    }));
}

/** JSON.parse would quote what it stumbles over, and that may be a secret. */
function parseExport(text: string): Export {
  try {
    return JSON.parse(text) as Export;
  } catch {
    throw new SluiceError({
      code: "STATE_UNREADABLE",
      object: "sluice status",
      what: "cannot read the stack's state, `pulumi stack export` did not print JSON",
      fix: "run `pulumi stack export` in the same folder and check its output; it must be the state and nothing else",
    });
  }
}

interface Export {
  readonly deployment?: { readonly resources?: readonly Exported[] } | null;
}

interface Exported {
  readonly urn: string;
  readonly type: string;
  readonly delete?: boolean;
  readonly inputs?: object;
  readonly outputs?: object;
}

/** A secret is exported as { signature, plaintext: its JSON text }. */
function withPlainSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withPlainSecrets);
  if (value === null || typeof value !== "object") return value;
  const object = value as Readonly<Record<string, unknown>>;
  if (signature in object && typeof object["plaintext"] === "string")
    return withPlainSecrets(JSON.parse(object["plaintext"]));
  return Object.fromEntries(Object.entries(object).map(([key, inner]) => [key, withPlainSecrets(inner)]));
}

/** What the CLI said on standard error (it names stacks and files, never their content), and how to repair it. */
function unreadable(exitCode: number, said: string): SluiceError {
  const isMissing = exitCode === programNotFound;
  return new SluiceError({
    code: "STATE_UNREADABLE",
    object: "sluice status",
    what: `cannot read the stack's state${isMissing ? ", there is no Pulumi CLI on PATH" : whyIn(said)}`,
    fix: isMissing ? "install it (https://www.pulumi.com/docs/install/), or add its folder to PATH" : fixFor(said),
    detail: said,
  });
}

const whyIn = (said: string): string => {
  if (/no stack selected|no previous|must supply.*stack/i.test(said)) return ", no stack is selected";
  if (/no Pulumi\.yaml/i.test(said)) return ", this is not the folder of a Pulumi program";
  if (/passphrase/i.test(said)) return ", its passphrase is not set";
  return "";
};

function fixFor(said: string): string {
  if (/no Pulumi\.yaml/i.test(said)) return "run it in the program's folder, or add `--cwd DIR`";
  if (/passphrase/i.test(said))
    return "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, as for `pulumi up`";
  return "add `--stack NAME` or run `pulumi stack select`; `pulumi stack export` must work in the same folder";
}
