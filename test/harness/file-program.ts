import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { shell, typeToken } from "../../provider/pulumi/shell";

const root = path.resolve(__dirname, "..", "..");
/** Below the checkout, so that Pulumi's SDK resolves; not in git. */
const workspace = path.join(root, ".cache", "host");

/** A program's folder whose `pulumi-sluice` is the file room, from our sources, and a place for its files. */
export interface FileProgram {
  readonly program: string;
  /** An absolute path for the room's directory; not there yet. */
  place(name: string): string;
  remove(): Promise<void>;
}

export async function makeFileProgram(): Promise<FileProgram> {
  await mkdir(workspace, { recursive: true });
  const program = await mkdtemp(path.join(workspace, "files-"));
  await linkFileRoom(program);
  await mkdir(path.join(program, "places"));
  return {
    program,
    place: (name) => path.join(program, "places", name),
    remove: () => rm(program, { recursive: true, force: true }),
  };
}

/** Puts a package pulumi-sluice in the program's node_modules that offers the file room alone. */
export async function linkFileRoom(program: string): Promise<void> {
  const home = path.join(program, "node_modules", "pulumi-sluice");
  await mkdir(home, { recursive: true });
  const offer = (file: string) =>
    `require(${JSON.stringify(path.join(root, "scripts", "typescript.cjs"))});\n` +
    `module.exports = require(${JSON.stringify(path.join(root, "test", "harness", file))});\n`;
  await writeFile(path.join(home, "package.json"), JSON.stringify({ name: "pulumi-sluice", version: "0.0.0" }));
  await writeFile(path.join(home, "dynamic.js"), offer("file-room-provider.ts"));
  await writeFile(path.join(home, "index.js"), offer("file-room-resource.ts"));
  await symlink(path.join(root, "node_modules", "@pulumi"), path.join(program, "node_modules", "@pulumi")).catch(
    () => undefined,
  );
}

export const fileUrn = (name: string): string => `urn:pulumi:dev::shop::${typeToken("FileRoom")}::${name}`;

/** What the engine sends beside the properties a program writes. */
export const beside = (name = "one", isPreview?: boolean): Record<string, unknown> => ({
  __provider: shell("FileRoom"),
  __urn: fileUrn(name),
  ...(isPreview === undefined ? {} : { __preview: isPreview }),
});
