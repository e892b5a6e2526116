import { sh, type Command } from "../../provider/host/command";
import { unconfine, withRules } from "../../provider/mysql/instance/confine/confine";
import { layoutOf } from "../../provider/mysql/instance/layout";
import { silent } from "../../provider/report";
import { addressOf } from "./managed-server";
import { unseeded, useStagingLab } from "./staging-lab";

/** Directories in which a server must not be made, and data that must not be taken over. */
const folder = "/srv/directories-test";
// What a policy confines on that host must not confine other files' servers.
const lab = useStagingLab(folder, { staging: "staging2", declares: unseeded });

jest.setTimeout(240_000);

const root = (command: Command) => lab.host.run(command, { accept: [0, 1, 2, 3, 5] });

const isThere = async (path: string): Promise<boolean> => (await lab.host.inspect(path)).kind !== "absent";

test("a directory inside another server's data, or inside its directory, is refused and nothing is made", async () => {
  const outer = `${folder}/outer`;
  await lab.stack("outer").up(lab.declare(outer, 3441, { state: "stopped" }));
  for (const inner of [`${outer}/data/inner`, `${outer}/inner`]) {
    await expect(lab.stack("inner").up(lab.declare(inner, 3442))).rejects.toMatchObject({
      code: "STORAGE_DIRECTORY_NESTED",
      problem: { what: expect.stringMatching(/is inside the (data|directory) of another MySQL server/) as string },
    });
    expect(await isThere(inner)).toBe(false);
    expect(await isThere(layoutOf(inner).unitFile)).toBe(false);
  }
});

test("a socket that the ssh user could not reach is refused at once, and again when a parent is closed later", async () => {
  const closed = `${folder}/closed`;
  const directory = `${closed}/orders`;
  await root(sh`mkdir -p ${closed} && chgrp mysql ${closed} && chmod 0750 ${closed}`);
  const declared = lab.declare(directory, 3443, { host: await addressOf(lab.staging, "sluice") });
  const stack = lab.stack("closed");
  const unreachable = {
    code: "STORAGE_DIRECTORY_UNREACHABLE",
    problem: {
      what: `user sluice has no permission to enter ${closed}`,
      fix: expect.stringContaining(`chmod o+x ${closed}`) as string,
    },
  };
  await expect(stack.up(declared)).rejects.toMatchObject(unreachable);
  expect(await isThere(directory)).toBe(false);

  await root(sh`chmod o+x ${closed}`);
  await stack.up(declared);
  await root(sh`chmod o-x ${closed}`);
  await expect(stack.up({ ...declared, config: { ...declared.config, max_connections: 33 } })).rejects.toMatchObject(
    unreachable,
  );
  await stack.destroy(declared);
  expect(await isThere(directory)).toBe(false);
  expect(await isThere(layoutOf(directory).unitFile)).toBe(false);
});

test("data that is not MySQL's is neither taken over nor touched, and data in use by another process is not taken over", async () => {
  const directory = `${folder}/postgres`;
  const data = `${directory}/data`;
  await root(sh`mkdir -p ${data}/base && echo 16 >${data}/PG_VERSION`);
  const declared = lab.declare(directory, 3444, { adopt: true });
  await expect(lab.stack("postgres").up(declared)).rejects.toMatchObject({
    code: "STORAGE_DATA_FOREIGN",
    problem: { found: `${data} holds PG_VERSION, base` },
  });
  expect((await lab.host.run(sh`cd ${directory} && find . | sort`)).stdout).toBe(
    ".\n./data\n./data/PG_VERSION\n./data/base\n",
  );

  const mysqls = `${folder}/held`;
  const stack = lab.stack("held");
  const held = lab.declare(mysqls, 3445, { state: "stopped" });
  await stack.up(held);
  await root(sh`rm ${mysqls}/sluice.json`);
  const { stdout: pid } = await lab.host.run(
    sh`cd ${mysqls}/data && { sleep 300 <ibdata1 >/dev/null 2>&1 & echo $!; }`,
  );
  const adopting = { ...held, adopt: true };
  await expect(lab.stack("held").up(adopting)).rejects.toMatchObject({
    code: "SERVER_RUNNING_ELSEWHERE",
    problem: { found: `process ${pid.trim()}: sleep 300` },
  });
  expect(await isThere(`${mysqls}/sluice.json`)).toBe(false);
  await lab.host.run(sh`kill ${pid.trim()}`);
  await lab.stack("held").up(adopting);
  expect(await isThere(`${mysqls}/sluice.json`)).toBe(true);
});

/** The lab's kernel has neither policy: what the kernel shows, and the programs that change it, are put in its place. */
describe("where a policy confines mysqld", () => {
  const programs = "/usr/local/sbin";
  const calls = "/run/policy-calls";
  const saidCalls = async () => (await root(sh`cat ${calls} 2>/dev/null`)).stdout;
  const program = (name: string, script: string) =>
    lab.host.writeFile(`${programs}/${name}`, `#!/bin/sh\necho "${name} $*" >>${calls}\n${script}\n`, { mode: 0o755 });

  test("AppArmor's missing rules are told before anything is made, or are made, and are removed with the server", async () => {
    const directory = `${folder}/armor`;
    const local = "/etc/apparmor.d/local/usr.sbin.mysqld";
    const profile = "/etc/apparmor.d/usr.sbin.mysqld";
    lab.after(() =>
      root(sh`umount /sys/kernel/security; rm -rf /etc/apparmor.d ${calls} ${`${programs}/apparmor_parser`}`),
    );
    await lab.host.run(
      sh`mount -t tmpfs none /sys/kernel/security && mkdir -p /sys/kernel/security/apparmor ${"/etc/apparmor.d/local"} && echo '/usr/sbin/mysqld (enforce)' >/sys/kernel/security/apparmor/profiles`,
    );
    await lab.host.writeFile(
      profile,
      "/usr/sbin/mysqld {\n  #include <abstractions/base>\n  /var/lib/mysql/** rwk,\n  #include <local/usr.sbin.mysqld>\n}\n",
      { mode: 0o644 },
    );
    await lab.host.writeFile(local, "/backup/** r,\n", { mode: 0o644 });
    await program("apparmor_parser", `cat ${local} >>${calls}`);

    const checked = lab.declare(directory, 3446);
    await expect(lab.stack("armor").up(checked)).rejects.toMatchObject({
      code: "SERVER_CONFINED",
      problem: {
        needs: expect.stringContaining(
          `"${directory}/{data,data.initialising,trial,run,log,tmp}/{,**}" rwk,`,
        ) as string,
        fix: expect.stringContaining(`add these lines to ${local}`) as string,
      },
    });
    expect(await isThere(directory)).toBe(false);
    expect(await saidCalls()).toBe("");

    const stack = lab.stack("armor");
    const adjusted = lab.declare(directory, 3446, { confine: "adjust" });
    await stack.up(adjusted);
    expect(await saidCalls()).toMatch(
      new RegExp(`^apparmor_parser -r ${profile}\n/backup/\\*\\* r,\n# sluice .*: begin\n"${directory}/`),
    );
    expect(await stack.up(adjusted)).toEqual([]);
    expect(await stack.up({ ...adjusted, state: "stopped" })).not.toEqual([]);
    expect((await stack.up(adjusted)).join("\n")).not.toContain("AppArmor");
    await stack.destroy(adjusted);
    expect((await lab.host.run(sh`cat ${local}`)).stdout).toBe("/backup/** r,\n");
    expect(await saidCalls()).toMatch(new RegExp(`apparmor_parser -r ${profile}\n/backup/\\*\\* r,\n$`));

    // A profile that does not load, and AppArmor without its programs: neither keeps a server from being removed.
    const layout = layoutOf(directory);
    const confined = { apparmor: { profileFile: profile, localFile: local } };
    const removeRules = async () => {
      const said: string[] = [];
      const report = { ...silent, warn: (text: string) => void said.push(text) };
      await lab.host.writeFile(local, withRules("/backup/** r,\n", layout.unitName, ["/gone/** rw,"]), { mode: 0o644 });
      await unconfine(lab.host, { object: "armor", layout }, confined, report);
      expect((await lab.host.run(sh`cat ${local}`)).stdout).toBe("/backup/** r,\n");
      return said.join("\n");
    };
    await program("apparmor_parser", "echo syntax error >&2; exit 1");
    expect(await removeRules()).toMatch(
      new RegExp(`could not be reloaded \\(syntax error\\); .*: apparmor_parser -r ${profile}$`),
    );
    await lab.host.run(sh`rm ${`${programs}/apparmor_parser`}`);
    expect(await removeRules()).toBe("");
  });

  test("SELinux's missing labels and port are told, or are made, and are removed with the server", async () => {
    const directory = `${folder}/labels`;
    const [labels, ports] = ["/run/policy-labels", "/run/policy-ports"];
    const names = ["getenforce", "matchpathcon", "semanage", "restorecon"];
    lab.after(() => root(sh`rm -f ${names.map((name) => `${programs}/${name}`)} ${labels} ${ports} ${calls}`));
    await program("getenforce", "echo Enforcing");
    await program(
      "matchpathcon",
      `case $2 in */mysqld) t=mysqld_exec_t ;; *) t=var_t; [ ! -s ${labels} ] || t=$(cat ${labels}) ;; esac; echo "system_u:object_r:$t:s0"`,
    );
    await program(
      "semanage",
      `case "$1 $2" in
      "fcontext -a") echo "$4" >${labels} ;; "fcontext -d") rm -f ${labels} ;;
      "port -l") echo "mysqld_port_t                  tcp      $(cat ${ports} 2>/dev/null)1186, 3306, 63132-63164" ;;
      "port -a") echo "$7, " >${ports} ;; "port -d") rm -f ${ports} ;; esac`,
    );
    await program("restorecon", ":");

    const checked = lab.declare(directory, 3447);
    await expect(lab.stack("labels").up(checked)).rejects.toMatchObject({
      code: "SERVER_CONFINED",
      problem: {
        fix: expect.stringContaining(
          `semanage fcontext -a -t mysqld_db_t '${directory}(/.*)?'; restorecon -RF ${directory}; semanage port -a -t mysqld_port_t -p tcp 3447`,
        ) as string,
      },
    });
    expect(await isThere(directory)).toBe(false);

    const stack = lab.stack("labels");
    const adjusted = lab.declare(directory, 3447, { confine: "adjust" });
    await stack.up(adjusted);
    expect(await saidCalls()).toMatch(
      new RegExp(`fcontext -a[^]*port -a -t mysqld_port_t -p tcp 3447\n[^]*restorecon -RF ${directory}`),
    );
    expect(await stack.up(adjusted)).toEqual([]);
    await stack.destroy(adjusted);
    expect(await isThere(labels)).toBe(false);
    expect(await isThere(ports)).toBe(false);
  });
});
