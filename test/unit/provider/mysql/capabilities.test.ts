import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  cloneRefusal,
  compareVersions,
  featureTable,
  has,
  oldestVersions,
  parseServerFacts,
  replicationRefusal,
  seriesOf,
  type Feature,
  type Flavour,
  type ServerFacts,
} from "../../../../provider/mysql/capabilities";

const server = (version: string, flavour: Flavour = "mysql"): ServerFacts => ({ flavour, version });

describe("what the server says it is", () => {
  it.each([
    ["9.7.4-2", "(Debian)", "mysql", "9.7.4-2"],
    ["8.0.36", "MySQL Community Server - GPL", "mysql", "8.0.36"],
    ["8.0.36-28", "Percona Server (GPL), Release 28, Revision 47601f19", "percona", "8.0.36-28"],
    ["10.11.6-MariaDB-0+deb12u1", "Debian 12", "mariadb", "10.11.6-MariaDB-0+deb12u1"],
    ["5.5.5-10.11.6-MariaDB", "", "mariadb", "10.11.6-MariaDB"],
    ["5.5.68-MariaDB", "", "mariadb", "5.5.68-MariaDB"],
  ])("%s, %s", (version, comment, flavour, read) => {
    expect(parseServerFacts(version, comment)).toEqual({ flavour, version: read });
  });
});

describe("the oldest versions that are taken", () => {
  it("have what a replica and a managed server need", () => {
    expect(oldestVersions).toEqual({ replica: "8.0.23", managed: "8.0.23" });
  });

  it.each([
    "README.md",
    "docs/compatibility.md",
    "docs/resources/staging-database.md",
    "docs/resources/replication-channel.md",
  ])("are the ones that %s says", (page) => {
    const text = readFileSync(join(__dirname, "../../../..", page), "utf8");
    const said = [...text.matchAll(/\b(8\.0(?:\.\d+)?) or newer|>= (8\.0(?:\.\d+)?)/g)].map(([, a, b]) => a ?? b);
    expect(said.length).toBeGreaterThan(0);
    for (const version of said) expect(Object.values(oldestVersions)).toContain(version);
  });
});

describe("versions", () => {
  it.each([
    ["8.0.9", "8.0.22", -1],
    ["8.0.36-28", "8.0.36", 0],
    ["9.7.4-2", "9.7", 1],
    ["8.4", "8.4.0", 0],
    ["10.5.1-MariaDB", "9.9.9", 1],
    ["8.0.22", "8.0.22", 0],
  ])("%s against %s", (one, other, sign) => {
    expect(Math.sign(compareVersions(one, other))).toBe(sign);
    expect(Math.sign(compareVersions(other, one))).toBe(0 - sign);
  });

  it("belong to a series", () => {
    expect(seriesOf("9.7.4-2")).toBe("9.7");
    expect(seriesOf("8.0.36-28")).toBe("8.0");
  });
});

describe("features", () => {
  it.each<[Feature, ServerFacts, boolean]>([
    ["replicaTerms", server("8.0.21"), false],
    ["replicaTerms", server("8.0.22"), true],
    ["replicaTerms", server("10.4.30-MariaDB", "mariadb"), false],
    ["replicaTerms", server("10.5.1-MariaDB", "mariadb"), true],
    ["changeReplicationSource", server("8.0.22"), false],
    ["changeReplicationSource", server("8.0.23"), true],
    ["changeReplicationSource", server("11.4.2-MariaDB", "mariadb"), false],
    ["showBinaryLogStatus", server("8.1.0"), false],
    ["showBinaryLogStatus", server("8.2.0"), true],
    ["resetBinaryLogsAndGtids", server("8.0.40"), false],
    ["masterTerms", server("8.3.0"), true],
    ["masterTerms", server("8.4.0"), false],
    ["clonePlugin", server("8.0.16"), false],
    ["clonePlugin", server("8.0.36-28", "percona"), true],
    ["clonePlugin", server("10.11.6-MariaDB", "mariadb"), false],
    ["gtidTags", server("8.2.0"), false],
    ["gtidTags", server("8.3.0"), true],
    ["nativePassword", server("8.4.5"), true],
    ["nativePassword", server("9.0.0"), false],
    ["md5Function", server("9.5.0"), true],
    ["md5Function", server("9.6.0"), false],
    ["superReadOnly", server("10.11.6-MariaDB", "mariadb"), false],
  ])("%s on %j: %s", (feature, facts, expected) => {
    expect(has(facts, feature)).toBe(expected);
  });

  it("are printed with words, and end after they begin", () => {
    expect(featureTable.length).toBeGreaterThan(30);
    for (const { words, mysql } of featureTable) {
      expect(words).not.toBe("");
      if (mysql?.until !== undefined) expect(compareVersions(mysql.until, mysql.since)).toBeGreaterThan(0);
    }
  });
});

describe("CLONE", () => {
  it.each([
    ["8.0.30", "8.0.30"],
    ["8.0.37", "8.0.41"],
    ["8.4.0", "8.4.5"],
    ["9.7.4-2", "9.7.1"],
  ])("takes %s into %s", (donor, recipient) => {
    expect(cloneRefusal(server(donor), server(recipient))).toBeUndefined();
  });

  it.each([
    ["8.0.30", "8.0.31", "equal versions"],
    ["8.0.36", "8.0.40", "equal versions"],
    ["8.0.40", "8.4.0", "one series"],
    ["9.6.0", "9.7.0", "one series"],
    ["8.0.16", "8.0.16", "has no CLONE"],
  ])("refuses %s into %s", (donor, recipient, why) => {
    expect(cloneRefusal(server(donor), server(recipient))).toContain(why);
  });
});

describe("replication", () => {
  it.each([
    ["8.0.40", "8.4.0"],
    ["8.4.5", "8.4.0"],
    ["5.7.44", "8.0.30"],
  ])("from %s to %s is possible", (source, replica) => {
    expect(replicationRefusal(server(source), server(replica))).toBeUndefined();
  });

  it("is not from a newer series to an older one, nor between MySQL and MariaDB", () => {
    expect(replicationRefusal(server("9.7.0"), server("8.4.5"))).toContain("older than its source");
    expect(replicationRefusal(server("10.11.6-MariaDB", "mariadb"), server("9.7.0"))).toContain("GTIDs");
  });
});
