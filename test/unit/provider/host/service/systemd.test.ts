import { parseServiceLook, renderService } from "../../../../../provider/host/service/service";
import type { Service } from "../../../../../provider/host/service/declaration";
import { serviceIn } from "./services";

const render = (changes: Partial<Service> = {}) =>
  renderService(serviceIn("/srv/x", { supervisor: "systemd", ...changes }));
const unitOf = (changes: Partial<Service>) => render(changes)[0]?.text ?? "";

test("a timed service is a unit that runs once and a timer that makes up a missed run", () => {
  const files = render({ type: "oneshot", timer: { at: ["02:30"], on: ["Mon", "Fri"] }, startsWithMachine: true });
  expect(files.map(({ path, mode }) => [path, mode])).toEqual([
    ["/etc/systemd/system/sluice-test.service", 0o644],
    ["/etc/systemd/system/sluice-test.timer", 0o644],
  ]);
  expect(files[0]?.text).toContain("Type=oneshot\n");
  expect(files[0]?.text).not.toContain("[Install]");
  expect(files[1]?.text).toBe(`# Made by sluice for shop/dev/orders. Change the declaration, not this file.
[Unit]
Description=a test (sluice, shop/dev/orders)

[Timer]
OnCalendar=Mon,Fri *-*-* 02:30:00 UTC
# A run that was missed while the machine was down is made up.
Persistent=yes
# By default systemd may be a minute late.
AccuracySec=1s

[Install]
WantedBy=timers.target
`);
});

test("a unit hides home and temporary directories unless the service reads or runs something there", () => {
  const reading = (...reads: readonly string[]) => unitOf({ reads });
  expect(reading("/srv/x")).toMatch(/ProtectHome=yes\nPrivateTmp=yes/);
  expect(reading("/home/ana/x")).not.toContain("ProtectHome");
  expect(reading("/srv/x", "/root/mysql/bin/mysqld")).not.toContain("ProtectHome");
  expect(reading("/homely/x")).toContain("ProtectHome");
  expect(reading("/tmp/x")).not.toContain("PrivateTmp");
  expect(reading("/var/tmp/x")).not.toContain("PrivateTmp");
});

test("words and values mean themselves in a unit, whatever they hold", () => {
  const unit = unitOf({
    command: ["/opt/my sql/run", '--file=/srv/100% "pure"', "a$b", "$HOME", "x${HOME}$$"],
    environment: { NOTE: "50% of $HOME" },
    description: "at 50%",
  });
  expect(unit).toContain(
    'ExecStart="/opt/my sql/run" "--file=/srv/100%% \\"pure\\"" a$b $$HOME x$${HOME}$$$\nEnvironment="NOTE=50%% of $HOME"\n',
  );
  expect(unit).toContain("Description=at 50%% (sluice");
});

test("a service without a restart policy stays down, and one that does not start with the machine has nothing to enable", () => {
  const unit = unitOf({});
  expect(unit).not.toMatch(/Restart|StartLimit|Install/);
  expect(unit).toContain("SendSIGKILL=no\n");
  expect(unitOf({ startsWithMachine: true })).toMatch(/\n\n\[Install\]\nWantedBy=multi-user.target\n$/);
});

test.each([
  ["a timer that waits", ["TimerState=active", "MainPID=0", "ActiveState=inactive"], true, null],
  [
    "a timer after a failed run",
    ["TimerState=active", "MainPID=0", "ActiveState=failed", "Result=exit-code", "ExecMainStatus=3"],
    true,
    "exit code 3, exit-code",
  ],
  ["a run of a timer", ["TimerState=active", "MainPID=7", "ActiveState=activating"], true, null],
  ["a stopped timer", ["TimerState=inactive", "MainPID=0", "ActiveState=inactive"], false, null],
])("%s", (_, lines, running, exit) => {
  expect(parseServiceLook(lines)).toMatchObject({ running, exit });
});
