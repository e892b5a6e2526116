import type { Flavour, ServerFacts } from "../../../../provider/mysql/capabilities";
import { secret } from "../../../../provider/mysql/sql";
import {
  changeReplicationSource,
  channelTextRefusal,
  dumpedFile,
  dumpedPosition,
  dumpedPositionStatement,
  dumpedPositionWords,
  modernRow,
  resetBinaryLogsAndGtids,
  resetReplicaAll,
  showBinaryLogStatus,
  showReplicas,
  showReplicaStatus,
  startReplica,
  stopReplica,
  variableName,
} from "../../../../provider/mysql/terms";

const server = (version: string, flavour: Flavour = "mysql"): ServerFacts => ({ flavour, version });
const [old, between, now] = [server("5.7.44"), server("8.0.22"), server("9.7.4")] as const;

describe("statements, as each version knows them", () => {
  it.each([
    ["START REPLICA FOR CHANNEL 'o''1'", startReplica(now, "o'1")],
    ["START SLAVE FOR CHANNEL ''", startReplica(old, "")],
    ["START REPLICA SQL_THREAD FOR CHANNEL 'a'", startReplica(now, "a", "applier")],
    ["STOP REPLICA IO_THREAD FOR CHANNEL 'a'", stopReplica(between, "a", "receiver")],
    ["STOP SLAVE FOR CHANNEL 'a'", stopReplica(old, "a")],
    ["RESET REPLICA ALL FOR CHANNEL 'a'", resetReplicaAll(now, "a")],
    ["RESET SLAVE ALL FOR CHANNEL 'a'", resetReplicaAll(old, "a")],
    ["SHOW REPLICA STATUS", showReplicaStatus(now)],
    ["SHOW SLAVE STATUS FOR CHANNEL 'a'", showReplicaStatus(old, "a")],
    ["SHOW REPLICAS", showReplicas(now)],
    ["SHOW SLAVE HOSTS", showReplicas(old)],
    ["SHOW BINARY LOG STATUS", showBinaryLogStatus(now)],
    ["SHOW MASTER STATUS", showBinaryLogStatus(between)],
    ["RESET BINARY LOGS AND GTIDS", resetBinaryLogsAndGtids(now)],
    ["RESET MASTER", resetBinaryLogsAndGtids(between)],
  ])("%s", (text, statement) => {
    expect(statement.text).toBe(text);
  });

  const options = {
    SOURCE_HOST: "db-1",
    SOURCE_PORT: 3306,
    SOURCE_PASSWORD: secret("o'x", "source.password"),
    GET_SOURCE_PUBLIC_KEY: true,
    SOURCE_CONNECTION_AUTO_FAILOVER: false,
  };

  it("points a channel in the words of today", () => {
    const statement = changeReplicationSource(now, options, "a");
    expect(statement.text).toBe(
      "CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'db-1', SOURCE_PORT = 3306, SOURCE_PASSWORD = 'o''x', " +
        "GET_SOURCE_PUBLIC_KEY = 1, SOURCE_CONNECTION_AUTO_FAILOVER = 0 FOR CHANNEL 'a'",
    );
    expect(statement.display).toContain("SOURCE_PASSWORD = «source.password»,");
  });

  it("points a channel in the words of before 8.0.23", () => {
    expect(changeReplicationSource(between, options, "a").text).toBe(
      "CHANGE MASTER TO MASTER_HOST = 'db-1', MASTER_PORT = 3306, MASTER_PASSWORD = 'o''x', " +
        "GET_MASTER_PUBLIC_KEY = 1, SOURCE_CONNECTION_AUTO_FAILOVER = 0 FOR CHANNEL 'a'",
    );
  });

  it("takes only names of options", () => {
    expect(() => changeReplicationSource(now, { "SOURCE_HOST = 'x', SOURCE_PORT": 1 }, "a")).toThrow(RangeError);
  });
});

it.each([
  ["log_replica_updates", "log_slave_updates"],
  ["replica_parallel_workers", "slave_parallel_workers"],
  ["rpl_semi_sync_source_enabled", "rpl_semi_sync_master_enabled"],
  ["skip_replica_start", "skip_slave_start"],
  ["replicate_do_db", "replicate_do_db"],
  ["max_connections", "max_connections"],
])("%s is %s before 8.0.26", (modern, before) => {
  expect(variableName(now, modern)).toBe(modern);
  expect(variableName(server("8.0.25"), modern)).toBe(before);
});

it("gives old rows the columns of today", () => {
  const row = {
    Slave_IO_State: 1,
    Master_Host: 2,
    Relay_Master_Log_File: 3,
    Seconds_Behind_Master: 4,
    Slave_SQL_Running_State: 5,
    Get_master_public_key: 6,
    Master_UUID: 7,
    Master_id: 8,
    Channel_Name: 9,
  };
  expect(modernRow(row)).toEqual({
    Replica_IO_State: 1,
    Source_Host: 2,
    Relay_Source_Log_File: 3,
    Seconds_Behind_Source: 4,
    Replica_SQL_Running_State: 5,
    Get_Source_public_key: 6,
    Source_UUID: 7,
    Source_Id: 8,
    Channel_Name: 9,
  });
});

it.each([
  ["pässwörd 漢字 'x\\ $", undefined],
  ["😀", "U+FFFF"],
  ["a\0b", "NUL"],
  ["a\nb", "line break"],
])("a channel's text %j: %s", (text, why) => {
  expect(channelTextRefusal(text)).toEqual(why === undefined ? undefined : expect.stringContaining(why));
});

it("states the position of a dump so that it is read back", () => {
  const { file, position } = dumpedPositionWords;
  const line = `-- ${file}binlog.000012', ${position}157;`;
  expect(dumpedPositionStatement.test(line)).toBe(true);
  expect([dumpedFile.exec(line)?.[1], dumpedPosition.exec(line)?.[1]]).toEqual(["binlog.000012", "157"]);
});
