import { readFile } from "node:fs/promises";
import { LabError } from "./errors.ts";
import { run } from "./run.ts";

export interface Mirror {
  readonly url: string;
  /** The proxy apt uses, in the words debootstrap's downloader understands. */
  readonly env: Readonly<Record<string, string>>;
}

interface IndexTarget {
  readonly url: string;
  readonly codename: string;
  readonly component: string;
  readonly origin: string;
}

const override = "SLUICE_LAB_MIRROR";
const targetFormat = "$(REPO_URI)|$(CODENAME)|$(COMPONENT)|$(ORIGIN)";

/** Debian's archive as this machine's own apt reaches it; SLUICE_LAB_MIRROR where apt knows none. */
export async function readMirror(env: NodeJS.ProcessEnv = process.env): Promise<Mirror> {
  const chosen = env[override] ?? (await readAptMirror());
  if (chosen === undefined) {
    throw new LabError("no Debian package mirror is known on this machine", {
      found: "apt's configuration names no Debian archive",
      fix: `name one: ${override}=http://MIRROR/debian npm run lab -- up`,
    });
  }
  return { url: chosen, env: await readProxy(env) };
}

async function readAptMirror(): Promise<string | undefined> {
  const targets = await run("apt-get", ["indextargets", "--format", targetFormat, "Created-By: Packages"]).catch(
    () => undefined, // no apt here: the caller says what to do
  );
  const url = chooseMirror(parseIndexTargets(targets?.stdout ?? ""));
  return url?.startsWith("mirror+file:") ? firstUrlOf(await readFile(url.slice("mirror+file:".length), "utf8")) : url;
}

export function parseIndexTargets(text: string): IndexTarget[] {
  return text.split("\n").flatMap((line) => {
    const [url = "", codename = "", component = "", origin = ""] = line.split("|");
    return url === "" ? [] : [{ url: url.replace(/\/+$/, ""), codename, component, origin }];
  });
}

/** The archive itself: not its security part, which has no sid, and no other vendor's packages. */
export function chooseMirror(targets: readonly IndexTarget[]): string | undefined {
  const mains = targets.filter(
    ({ component, codename }) => component === "main" && !/security|updates|backports/.test(codename),
  );
  // Before the first `apt-get update` no origin is known: the path has to tell.
  const debian = mains.filter(({ origin, url }) =>
    origin === "" ? /\/debian$|debian\.list$/.test(url) : origin === "Debian",
  );
  return debian.find(({ url }) => !/security/.test(url))?.url;
}

/** Debian's cloud images name their mirror in a list file. */
export function firstUrlOf(list: string): string | undefined {
  return /^\s*(https?:\/\/\S+?)\/*(\s|$)/m.exec(list)?.[1];
}

async function readProxy(env: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const proxies: Record<string, string> = {};
  for (const scheme of ["http", "https"]) {
    const name = `${scheme}_proxy`;
    const fromApt = await run("apt-config", ["shell", "PROXY", `Acquire::${scheme}::Proxy`]).catch(() => undefined);
    const value = env[name] ?? /^PROXY='(.*)'$/m.exec(fromApt?.stdout ?? "")?.[1];
    if (value !== undefined && value !== "DIRECT" && value !== "") proxies[name] = value;
  }
  return proxies;
}
