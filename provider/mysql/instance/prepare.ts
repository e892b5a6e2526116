import { SluiceError } from "../../errors";
import { allOf, type Command, sh } from "../../host/command";
import type { FileOptions, Host } from "../../host/host";
import { makeService } from "../../host/service/service";
import { pathUnsafe, refusal, requireTrusted, untrustedIn } from "../../host/trust";
import type { Report } from "../../report";
import { makePassword, parseAccountFile, renderAccountFile } from "./accounts/management";
import { readInstance } from "./facts";
import { accountKind, renderInit, type Account } from "./init-file";
import type { Instance, InstancePlace } from "./instance";
import { requireEnterable } from "./refusals";
import { serviceOf } from "./service";

/** Creates the unix user of mysqld if it is missing and we are root; packages of the server alone do not create it. */
export async function ensureOsUser(host: Host, { runtime }: Pick<Instance, "runtime">, report: Report): Promise<void> {
  if (!runtime.asRoot) return;
  const user = runtime.osUser;
  const { stdout } = await host.run(
    sh`
    if ! id -u ${user} >/dev/null 2>&1; then
      useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin ${user} || exit
      echo made
    elif ! getent group ${user} >/dev/null; then
      groupadd --system ${user} && usermod -a -G ${user} ${user} || exit
    fi`,
    { asRoot: true },
  );
  if (stdout.trim() === "made") report.say(`made the system user ${user} on ${host.name}, which mysqld runs as`);
}

/**
 * Makes root own the directory before root does anything in it: what another user has put there before is not followed.
 * Repairs a directory that was given away. May be repeated.
 */
export async function ensureOwnDirectory(host: Host, { layout, runtime }: InstancePlace): Promise<void> {
  const { directory } = layout;
  if (!runtime.asRoot) {
    await host.run(sh`umask 022; mkdir -p ${directory}`);
    return;
  }
  const files = [layout.mark, layout.optionFile, layout.supervisorFile];
  const links = [layout.data, layout.run, layout.log, layout.tmp, layout.job, layout.tls, layout.optionDirectory];
  const uid = runtime.connectedUid ?? 0;
  const { exitCode, stderr } = await host.run(
    sh`
    umask 022
    ${requireTrusted(directory, "parents", uid)}
    mkdir -p ${directory} && cd ${directory} && chown root: . && chmod 0755 . || exit
    ${requireTrusted(directory, "all", uid)}
    for path in ${files}; do
      if [ -L "$path" ] && [ -n "$(changer "$path" parents 0)" ]; then rm -f -- "$path"
      elif [ -f "$path" ] && [ ! -L "$path" ]; then chown -h root "$path" && chmod go-w "$path" || exit; fi
    done
    # A job that mysqld's user owns was not started by Sluice.
    [ -z "$(find ${layout.job} -prune -user ${runtime.osUser} 2>/dev/null)" ] || rm -rf -- ${layout.job}
    for path in ${links}; do
      [ -L "$path" ] || continue
      found=$(changer "$path" parents 0)
      [ -z "$found" ] || { echo ${refusal} "$found" >&2; exit 97; }
    done`,
    { asRoot: true, accept: [0, 1, 97] },
  );
  const changer = untrustedIn(stderr);
  if (changer !== undefined) throw pathUnsafe(`host ${host.name}`, `root does not use ${directory}`, changer);
  if (exitCode !== 0)
    throw new SluiceError({
      code: "COMMAND_FAILED",
      object: `host ${host.name}`,
      what: `cannot create ${directory}`,
      detail: stderr,
    });
}

/** The directory and all below it but the data. May be repeated. Throws if mysqld's user has no permission to enter it. */
export async function ensureDirectories(host: Host, instance: InstancePlace): Promise<void> {
  const { layout, runtime } = instance;
  await ensureOwnDirectory(host, instance);
  const own = (mode: string, owner: string, group: string, path: string): Command =>
    allOf(
      sh`mkdir -p ${path}`,
      sh`chmod ${mode} ${path}`,
      runtime.asRoot ? sh`chown ${`${owner}:${group}`} ${path}` : sh`:`,
    );
  const server = runtime.osUser;
  await host.run(
    allOf(
      sh`umask 022`,
      // Every user may connect to the socket; the server decides who logs in.
      own("0755", server, server, layout.run),
      own("0750", server, server, layout.log),
      own("0750", server, server, layout.tmp),
      own("0700", runtime.connectedUser, "", layout.job),
      own("0750", "root", server, layout.tls),
      own("0750", "root", server, layout.optionDirectory), // mysqld refuses to start if an !includedir is missing
    ),
    { asRoot: runtime.asRoot },
  );
  requireEnterable(instance, (await readInstance(host, instance)).surroundings);
}

/** Writes my.cnf, the init file and the unit if they differ from the files on the host. */
export async function writeConfiguration(host: Host, instance: Instance, wanted: OptionText): Promise<void> {
  await writeOptionFiles(host, instance, wanted);
  await makeService(host, serviceOf(instance));
}

interface OptionText {
  readonly optionText: string;
}

/** Writes only my.cnf and the init file: enough for a private boot. */
export async function writeOptionFiles(host: Host, instance: Instance, { optionText }: OptionText): Promise<void> {
  const { layout, runtime } = instance;
  const { asRoot } = runtime;
  const seen = await readInstance(host, instance);
  const account = await ensureAccount(host, instance);
  const owned = (owner: string) => (asRoot ? { asRoot, owner } : { asRoot });
  const initText = renderInit(account, instance);
  if (seen.optionText !== optionText) await host.writeFile(layout.optionFile, optionText, optionFileAccess(instance));
  if (seen.initText !== initText) {
    const secret = account.kind === "password";
    const mode = secret ? 0o600 : 0o640;
    await host.writeFile(layout.initFile, initText, {
      mode,
      ...owned(secret ? `${runtime.osUser}:` : `root:${runtime.osUser}`),
    });
  }
}

/** mysqld reads it and cannot change it. */
export const optionFileAccess = ({ runtime }: Pick<Instance, "runtime">): FileOptions => ({
  mode: 0o640,
  ...(runtime.asRoot && { asRoot: true, owner: `root:${runtime.osUser}` }),
});

/** The password is in the account's file before any server knows it. */
async function ensureAccount(host: Host, instance: Instance): Promise<Account> {
  const { layout, runtime } = instance;
  if (accountKind(instance) === "socket") return { kind: "socket" };
  const text = await host.readFile(layout.accountFile, { asRoot: runtime.asRoot });
  const known = parseAccountFile(text ?? "");
  const password = known ?? makePassword();
  // Written each time, because the ssh user may have changed: the clients of a seeding read it as that user.
  await host.writeFile(layout.accountFile, renderAccountFile(password), {
    mode: 0o600,
    ...(runtime.asRoot && { asRoot: true, owner: `${runtime.connectedUser}:` }),
  });
  return { kind: "password", password };
}
