import { requireUnconfined, withRules } from "../../../../../../provider/mysql/instance/confine/confine";
import { armorRules, missingIn, parseConfinement } from "../../../../../../provider/mysql/instance/confine/confinement";
import { isProblem, type Problem } from "../../../../../../provider/errors";
import { instanceOf } from "../../../../../samples/server";

function problemOfSync(act: () => void): Problem {
  try {
    act();
  } catch (error) {
    if (isProblem(error)) return error.problem;
    throw error;
  }
  throw new Error("no error was thrown");
}

const encoded = (text: string) => Buffer.from(text).toString("base64");
const mysqld = "/usr/sbin/mysqld";

/** /sys/kernel/security/apparmor/profiles of Ubuntu 22.04 with mysql-server-8.0, shortened. */
const loaded = `/snap/snapd/21759/usr/lib/snapd/snap-confine (enforce)
/usr/sbin/mysqld (enforce)
/usr/bin/man (enforce)
man_filter (enforce)
lsb_release (enforce)
`;

/** /etc/apparmor.d/usr.sbin.mysqld of the same, shortened. */
const profile = `# vim:syntax=apparmor
# Last Modified: Tue Feb 09 15:28:30 2016
#include <tunables/global>

/usr/sbin/mysqld {
  #include <abstractions/base>
  #include <abstractions/nameservice>
  #include <abstractions/mysql>

# Allow system resource access
  /proc/*/status r,
  /sys/devices/system/cpu/ r,
  capability sys_resource,
  capability dac_override,

# Allow network access
  network tcp,

  /etc/hosts.allow r,

# Allow config access
  /etc/mysql/** r,

# Allow data dir access
  /var/lib/mysql/ r,
  /var/lib/mysql/** rwk,

# Allow log file access
  /var/log/mysql.err rw,
  /var/log/mysql/** rw,

# Site-specific additions and overrides. See local/README for details.
  #include <local/usr.sbin.mysqld>
}
`;
const file = "/etc/apparmor.d/usr.sbin.mysqld";
const armorWith = (included: string, words = loaded) =>
  parseConfinement(
    `profiles ${encoded(words)}\nfile ${file}\nprofile ${encoded(profile)}\nincluded ${encoded(included)}`,
    mysqld,
  );
const instance = instanceOf();

test("nothing confines mysqld where the kernel has no policy for it, or one that only complains", () => {
  expect(parseConfinement("", mysqld)).toBeNull();
  expect(armorWith("", "/usr/sbin/mysqld (complain)\n")).toBeNull();
  expect(armorWith("", "/usr/sbin/mysqld-akonadi (enforce)\n")).toBeNull();
  expect(missingIn(null, instance)).toBeNull();
});

test("AppArmor's stock profile denies a directory, and the refusal holds the lines that allow it", () => {
  const confinement = armorWith("");
  expect(confinement).toMatchObject({
    kind: "apparmor",
    profile: mysqld,
    profileFile: file,
    localFile: "/etc/apparmor.d/local/usr.sbin.mysqld",
  });
  const problem = problemOfSync(() => requireUnconfined(instance, confinement));
  expect(problem).toMatchObject({
    code: "SERVER_CONFINED",
    what: "AppArmor denies mysqld the directory /srv/mysql/orders",
    needs: [
      '"/srv/mysql/orders/{my.cnf,my.cnf.draft,init.sql}" r,',
      '"/srv/mysql/orders/{conf.d,tls}/{,**}" r,',
      '"/srv/mysql/orders/{data,data.initialising,trial,run,log,tmp}/{,**}" rwk,',
    ].join("\n"),
  });
  expect(problem.fix).toContain("add these lines to /etc/apparmor.d/local/usr.sbin.mysqld");
  expect(problem.fix).toContain(`apparmor_parser -r ${file}`);
});

test.each([
  ["our own rules", armorRules(instance.layout).join("\n"), true],
  ["an administrator's rule for the whole directory", "  /srv/mysql/** rwk,\n", true],
  ["permissions before the path, owner and a comment", "owner rwk /srv/mysql/{orders,shop}/**, # staging", true],
  ["a directory without its files", "/srv/mysql/orders/ rwk,", false],
  ["files without locks", "/srv/mysql/** rw,", false],
  ["another directory", "/srv/mysql/order/** rwk,", false],
  ["one level only", "/srv/mysql/orders/* rwk,", false],
  ["a rule that denies", "deny /srv/mysql/** rwk,", false],
])("AppArmor with %s", (_what, rules, allows) => {
  expect(missingIn(armorWith(rules), instance) === null).toBe(allows);
});

test("a directory's own letters are not a glob in a rule", () => {
  const odd = instanceOf({ directory: "/srv/my[sql]{a,b}*" });
  expect(missingIn(armorWith(armorRules(odd.layout).join("\n")), odd)).toBeNull();
  expect(missingIn(armorWith(armorRules(odd.layout).join("\n")), instance)).not.toBeNull();
});

test("Sluice's block in the local rules is between two comments, is replaced, and leaves the rest as it was", () => {
  const others = "# Site-specific additions\n/backup/** r,\n";
  const one = withRules(others, "sluice-mysql-orders-1", ["/a r,"]);
  expect(one).toBe(`${others}# sluice sluice-mysql-orders-1: begin\n/a r,\n# sluice sluice-mysql-orders-1: end\n`);
  const two = withRules(one, "sluice-mysql-shop-2", ["/b r,"]);
  expect(withRules(two, "sluice-mysql-orders-1", ["/c r,"])).toContain("/c r,");
  expect(withRules(withRules(two, "sluice-mysql-orders-1", []), "sluice-mysql-shop-2", [])).toBe(others);
  expect(withRules("", "u", [])).toBe("");
});

/** What matchpathcon(8) and semanage-port(8) of RHEL 9 print. */
const seLinux = (type: string, ports = "1186, 3306, 63132-63164", label = "?") =>
  parseConfinement(
    [
      "selinux system_u:object_r:mysqld_exec_t:s0",
      `type system_u:object_r:${type}:s0`,
      `label ${label}`,
      `ports ${ports}`,
      "semanage",
    ].join("\n"),
    mysqld,
  );

test("SELinux denies what is not labelled for mysqld, and a port that is not mysqld's", () => {
  expect(missingIn(seLinux("var_t"), instanceOf())).toEqual({
    lines: [
      "semanage fcontext -a -t mysqld_db_t '/srv/mysql/orders(/.*)?'",
      "restorecon -RF /srv/mysql/orders",
      "semanage port -a -t mysqld_port_t -p tcp 3307",
    ],
    port: true,
  });
  expect(missingIn(seLinux("mysqld_db_t"), instanceOf())).toMatchObject({ port: true, lines: { length: 1 } });
  expect(missingIn(seLinux("mysqld_db_t"), instanceOf({ port: 63_140 }))).toBeNull();
  const unlabelled = seLinux("mysqld_db_t", "3307", "unconfined_u:object_r:var_t:s0");
  expect(missingIn(unlabelled, instanceOf())).toMatchObject({ port: false, lines: { length: 2 } });
  expect(problemOfSync(() => requireUnconfined(instanceOf(), seLinux("var_t"))).fix).toContain(
    "run on the host as root: semanage fcontext",
  );
});

test("SELinux does not confine a mysqld whose file has another type", () => {
  expect(parseConfinement("selinux system_u:object_r:bin_t:s0\nsemanage", mysqld)).toBeNull();
});

test("ports that cannot be listed are not judged", () => {
  const unknown = parseConfinement(
    "selinux system_u:object_r:mysqld_exec_t:s0\ntype system_u:object_r:mysqld_db_t:s0",
    mysqld,
  );
  expect(missingIn(unknown, instance)).toBeNull();
});
