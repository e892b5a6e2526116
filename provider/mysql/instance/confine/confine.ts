import { SluiceError } from "../../../errors";
import { sh } from "../../../host/command";
import type { Host } from "../../../host/host";
import type { Report } from "../../../report";
import { labelOf, missingIn, readConfinement, type AppArmor, type Confinement } from "./confinement";
import type { Instance, InstancePlace } from "../instance";

/** What was changed in the policies of a host for one server; kept in the server's mark, and undone when it is removed. */
export interface Confined {
  /** The profile's file and the one with our rules. */
  readonly apparmor?: { readonly profileFile: string; readonly localFile: string };
  readonly selinux?: { readonly port: number | null };
}

/** Throws if mysqld would be denied something, with the lines that allow it. */
export function requireUnconfined(place: Pick<Instance, "object" | "layout" | "port">, confinement: Confinement): void {
  const missing = missingIn(confinement, place);
  if (confinement === null || missing === null) return;
  const { layout, object } = place;
  const adjust = '; or set `confine: "adjust"`, which adds them now and removes them with the server';
  if (confinement.kind === "selinux")
    throw new SluiceError({
      code: "SERVER_CONFINED",
      object,
      what: `SELinux denies mysqld the directory ${layout.directory}${missing.port ? ` or port ${place.port}` : ""}`,
      found: `SELinux is enforcing, and its policy does not label ${layout.directory} for mysqld`,
      needs: "labels of mysqld on its files, and the port in mysqld_port_t",
      fix: `run on the host as root: ${missing.lines.join("; ")}${adjust}`,
    });
  const { profile, profileFile, localFile } = confinement;
  throw new SluiceError({
    code: "SERVER_CONFINED",
    object,
    what: `AppArmor denies mysqld the directory ${layout.directory}`,
    found: `profile ${profile} is enforced, and has no rule for ${layout.directory}`,
    needs: missing.lines.join("\n"),
    fix: `add these lines to ${localFile ?? profileFile ?? `the profile ${profile}`}, and run on the host as root: apparmor_parser -r ${profileFile ?? "/etc/apparmor.d/usr.sbin.mysqld"}${localFile === null ? "" : adjust}`,
  });
}

/** All servers of a host share the file of local rules. */
const policyLock = { name: "mandatory access control", withinSeconds: 60 }; // apparmor_parser takes a second, semanage ten

/** Lets mysqld use its directory and port. May be repeated; `note` is called before anything is changed. */
export async function confine(
  host: Host,
  instance: Instance,
  before: Confined | undefined,
  note: (confined: Confined) => Promise<void>,
): Promise<void> {
  await host.withLock(policyLock.name, { ...policyLock, holder: instance.owner }, async () => {
    const confinement = await readConfinement(host, instance);
    const missing = missingIn(confinement, instance);
    if (confinement === null || missing === null) return;
    if (confinement.kind === "apparmor") {
      const files = requireLocal(instance, confinement);
      await note({ apparmor: files });
      await writeRules(host, instance, files, missing.lines);
      await policy(host, sh`[ ! -e ${files.profileFile} ] || apparmor_parser -r ${files.profileFile}`);
    } else {
      await requireSemanage(host);
      const old = before?.selinux?.port ?? null;
      await note({ selinux: { port: missing.port ? instance.port : old } });
      const { type, pattern } = labelOf(instance.layout);
      await policy(
        host,
        sh`semanage fcontext -a -t ${type} ${pattern} 2>/dev/null || semanage fcontext -m -t ${type} ${pattern}`,
      );
      if (missing.port) {
        if (old !== null) await policy(host, sh`semanage port -d -t mysqld_port_t -p tcp ${old} 2>/dev/null || :`);
        await policy(host, sh`semanage port -a -t mysqld_port_t -p tcp ${instance.port}`);
      }
      await policy(host, sh`restorecon -RF ${instance.layout.directory}`);
    }
  });
}

/** Undoes `confine`. May be repeated. */
export async function unconfine(
  host: Host,
  place: Pick<InstancePlace, "object" | "layout">,
  confined: Confined | undefined,
  report: Report,
): Promise<void> {
  if (confined === undefined) return;
  const { apparmor, selinux } = confined;
  await host.withLock(policyLock.name, { ...policyLock, holder: place.object }, async () => {
    if (apparmor !== undefined) await removeRules(host, place, apparmor, report);
    if (selinux === undefined) return;
    await policy(host, sh`semanage fcontext -d ${labelOf(place.layout).pattern} 2>/dev/null || :`);
    if (selinux.port !== null)
      await policy(host, sh`semanage port -d -t mysqld_port_t -p tcp ${selinux.port} 2>/dev/null || :`);
  });
}

const policySeconds = 300; // semanage rebuilds the whole policy: ten seconds each on a small machine

const policy = (host: Host, command: Parameters<Host["run"]>[0]) =>
  host.run(command, { asRoot: true, withinSeconds: policySeconds });

async function writeRules(
  host: Host,
  { layout }: Pick<InstancePlace, "layout">,
  { localFile }: NonNullable<Confined["apparmor"]>,
  rules: readonly string[],
): Promise<void> {
  const before = (await host.readFile(localFile, { asRoot: true })) ?? "";
  const after = withRules(before, layout.unitName, rules);
  if (after !== before) await host.writeFile(localFile, after, { mode: 0o644, asRoot: true });
}

/**
 * AppArmor may have been removed since, and its programs with it. Rules that stay loaded allow only what is removed with the
 * server, and end with the next boot: not a reason to keep a server that is to be removed.
 */
async function removeRules(
  host: Host,
  place: Pick<InstancePlace, "object" | "layout">,
  files: NonNullable<Confined["apparmor"]>,
  report: Report,
): Promise<void> {
  await writeRules(host, place, files, []);
  const { profileFile } = files;
  const { exitCode, stderr } = await host.run(
    sh`[ -e ${profileFile} ] && [ -r /sys/kernel/security/apparmor/profiles ] && command -v apparmor_parser >/dev/null || exit 0; apparmor_parser -r ${profileFile} || exit ${notReloaded}`,
    { asRoot: true, withinSeconds: policySeconds, accept: [0, notReloaded] },
  );
  if (exitCode === notReloaded)
    report.warn(
      `${place.object}: the server's AppArmor rules are deleted, but ${profileFile} could not be reloaded (${stderr.trim()}); correct the profile and run on the host as root: apparmor_parser -r ${profileFile}`,
    );
}

const notReloaded = 97; // apparmor_parser and sh end with none like it

/** The text with our block in it, between two comments that name the server's unit. */
export function withRules(text: string, unit: string, rules: readonly string[]): string {
  const [begin, end] = [`# sluice ${unit}: begin`, `# sluice ${unit}: end`];
  const lines = text.split("\n");
  const [from, to] = [lines.indexOf(begin), lines.indexOf(end)];
  const others = from >= 0 && to > from ? [...lines.slice(0, from), ...lines.slice(to + 1)] : lines;
  const kept = others.join("\n").replace(/\n*$/, "\n").replace(/^\n$/, "");
  return rules.length === 0 ? kept : `${kept}${[begin, ...rules, end].join("\n")}\n`;
}

function requireLocal({ object, layout }: Instance, armor: AppArmor): NonNullable<Confined["apparmor"]> {
  const { profileFile, localFile, profile } = armor;
  if (profileFile !== null && localFile !== null) return { profileFile, localFile };
  throw new SluiceError({
    code: "SERVER_CONFINED",
    object,
    what: `AppArmor denies mysqld the directory ${layout.directory}, and its profile includes no local rules`,
    found:
      profileFile === null
        ? `no file in /etc/apparmor.d declares ${profile}`
        : `${profileFile} includes nothing of local/`,
    needs: "a profile with: include if exists <local/usr.sbin.mysqld>",
    fix: "add that line before the profile's last brace",
  });
}

async function requireSemanage(host: Host): Promise<void> {
  const { exitCode } = await host.query(sh`command -v semanage >/dev/null && command -v restorecon >/dev/null`, {
    asRoot: true,
    accept: [0, 1, 127],
  });
  if (exitCode === 0) return;
  throw new SluiceError({
    code: "HOST_LACKS_PROGRAM",
    object: `host ${host.name}`,
    what: 'semanage or restorecon is missing, which `confine: "adjust"` needs under SELinux',
    fix: "install them (Red Hat: dnf install policycoreutils-python-utils policycoreutils)",
  });
}
