import { sinceLastStart, startFailure } from "../../../../../provider/mysql/instance/start-failure";
import { instanceOf } from "../../../../samples/server";

const failure = (...lines: readonly string[]) => startFailure(instanceOf(), "exit code 1", lines);

/** Lines that mysqld 9.7.4 wrote. */
test.each([
  [
    "an unknown option",
    "2026-11-20T14:18:15.544092Z 0 [ERROR] [MY-000067] [Server] unknown variable 'no_such_thing=1'.",
    "SERVER_OPTION_REJECTED",
    "mysqld does not know the option no_such_thing",
  ],
  [
    "a value that is no number",
    "2026-11-20T14:18:17.665945Z 0 [ERROR] [MY-000058] [Server] Unknown suffix 'a' used for variable 'innodb-buffer-pool-size' (value 'abc').",
    "SERVER_OPTION_REJECTED",
    "mysqld refuses the value abc of innodb_buffer_pool_size",
  ],
  [
    "a value that is none of the allowed",
    "2026-11-20T14:18:17.366105Z 0 [ERROR] [MY-000077] [Server] /usr/sbin/mysqld: Error while setting value 'FOO' to 'binlog_format'.",
    "SERVER_OPTION_REJECTED",
    "mysqld refuses the value FOO of binlog_format",
  ],
  [
    "names of tables that are compared differently",
    "2026-11-20T14:18:19.191376Z 1 [ERROR] [MY-011087] [Server] Different lower_case_table_names settings for server ('1') and data dictionary ('0').",
    "SERVER_OPTION_REJECTED",
    "the data directory was initialised with another lower_case_table_names",
  ],
  [
    "another page size",
    "2026-11-20T14:18:18.038962Z 1 [ERROR] [MY-012222] [InnoDB] Data file './ibdata1' uses page size 16384, but the innodb_page_size start-up parameter is 8192",
    "SERVER_OPTION_REJECTED",
    "the data directory was initialised with another innodb_page_size",
  ],
  [
    "a port in use",
    "2026-11-20T14:18:20.566666Z 0 [ERROR] [MY-010262] [Server] Can't start server: Bind on TCP/IP port: Address already in use",
    "SERVER_PORT_TAKEN",
    "cannot listen on port 3307, another process uses it",
  ],
  [
    "a file it may not read",
    "2026-11-20T14:18:38.567824Z 0 [ERROR] [MY-013276] [Server] Failed to set datadir to '/srv/b/data/' (OS errno: 13 - Permission denied)",
    "SERVER_START_FAILED",
    "mysqld ended, it has no permission to read or write one of its files",
  ],
  [
    "a full file system",
    "2026-11-20T14:18:38.567824Z 0 [ERROR] [MY-012639] [InnoDB] Write to file ./ib_logfile0 failed at offset 0: errno: 28",
    "STORAGE_FULL",
    "mysqld ended, the file system of /srv/mysql/orders is full",
  ],
  [
    "data that another mysqld holds",
    "2026-11-20T14:20:18.567824Z 1 [ERROR] [MY-012574] [InnoDB] Unable to lock ./ibdata1 error: 11",
    "SERVER_RUNNING_ELSEWHERE",
    "another mysqld, not started by Sluice, uses the data in /srv/mysql/orders/data",
  ],
])("%s is told", (_, line, code, what) => {
  expect(failure(line, "2026-11-20T14:18:15.544567Z 0 [ERROR] [MY-010119] [Server] Aborting").problem).toMatchObject({
    code,
    what,
  });
});

test("what says most wins over what follows from it, and values of the data are named", () => {
  const error = failure(
    "2026-11-20T14:18:18.038962Z 1 [ERROR] [MY-012222] [InnoDB] Data file './ibdata1' uses page size 16384, but the innodb_page_size start-up parameter is 8192",
    "2026-11-20T14:18:18.538305Z 1 [ERROR] [MY-010334] [Server] Failed to initialize DD Storage Engine",
  );
  expect(error.problem).toMatchObject({
    found: "innodb_page_size = 16384 in the data",
    needs: "innodb_page_size = 8192 by the option file",
  });
});

test("a warning alone is not a reason, and anything unknown shows what was written", () => {
  const error = failure(
    "2026-11-20T14:18:15.538393Z 0 [Warning] [MY-010068] [Server] No space left on device was said once",
    "2026-11-20T14:18:15.538393Z 0 [ERROR] [MY-099999] [Server] Something new",
  );
  expect(error.message).toMatchInlineSnapshot(`
   "staging database orders@stage-1:3307: mysqld ended before it answered (exit code 1) (SERVER_START_FAILED)
     fix     read /srv/mysql/orders/log/mysqld.err on the host
     cause   [ERROR] [MY-099999] [Server] Something new"
  `);
});

test("on a full file system that mysqld could not write to, space is the reason", () => {
  expect(startFailure(instanceOf(), "exit code 1", [], 1000).code).toBe("STORAGE_FULL");
  expect(startFailure(instanceOf(), "exit code 1", [], 10 ** 9).code).toBe("SERVER_START_FAILED");
});

test("only the last start counts", () => {
  const log = [
    "x 0 [System] [MY-015015] [Server] MySQL Server - start.",
    "x 0 [ERROR] [MY-000067] [Server] unknown variable 'old=1'.",
    "x 0 [System] [MY-015015] [Server] MySQL Server - start.",
    "x 0 [System] [MY-010116] [Server] /usr/sbin/mysqld (mysqld 9.7.4-2) starting as process 49",
    "x 0 [ERROR] [MY-000067] [Server] unknown variable 'new=1'.",
    "",
  ].join("\n");
  expect(sinceLastStart(log)).toHaveLength(3);
  expect(sinceLastStart(log.replaceAll(/.*MY-015015.*\n/g, ""))).toHaveLength(2);
  expect(sinceLastStart("")).toEqual([]);
});

test("a refused value is blamed, and not the options that InnoDB then no longer claims", () => {
  const lines = [
    "[ERROR] [MY-000077] [Server] /usr/sbin/mysqld: Error while setting value 'foo' to 'innodb-flush-method'.",
    "[ERROR] [MY-010746] [Server] Parsing options for plugin 'InnoDB' failed.",
    "[ERROR] [MY-000067] [Server] unknown variable 'innodb_buffer_pool_size=64M'.",
  ];
  expect(startFailure(instanceOf(), "exit code 1", lines).problem.what).toBe(
    "mysqld refuses the value foo of innodb_flush_method",
  );
});
