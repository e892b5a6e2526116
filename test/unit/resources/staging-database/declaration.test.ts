import { checkInputs } from "../../../../provider/schema/check";
import { derive, refine, schema } from "../../../../resources/staging-database/schema";
import { declare } from "../../../samples/staging-database";

describe("a declaration", () => {
  test.each([
    ["/"],
    ["/var"],
    ["/var/lib/mysql"],
    ["/srv"],
    ["/srv/mysql/"],
    ["/srv//mysql"],
    ["/srv/./mysql"],
    ["/srv/../etc"],
    ["srv/mysql"],
  ])("refuses the directory %s", (directory) => {
    const { problems } = checkInputs(schema, { ...derive({ directory }), host: "local", directory, seed: "none" });
    expect(problems.join("\n")).toMatch(/^directory: /);
  });

  test.each([["/data"], ["/srv/mysql"], ["/var/lib/mysql-staging"]])("takes the directory %s", (directory) => {
    expect(checkInputs(schema, { ...derive({ directory }), host: "local", directory, seed: "none" }).problems).toEqual(
      [],
    );
  });

  test.each<[string, Record<string, unknown>, string]>([
    ["a dump without a source", { source: undefined }, "source: is needed by seed dump"],
    ["clone with selected databases", { seed: "clone", databases: ["a"] }, "clone brings all"],
    [
      "a clone whose source is to prove its address",
      {
        seed: "clone",
        source: { address: "db-1", user: "sync", password: "s3cret", tls: { ca: "PEM", verifyIdentity: true } },
      },
      "source.tls.verifyIdentity: CLONE verifies the CA of the certificate, not the address in it",
    ],
    ["a directory too long for a socket", { directory: `/srv/${"ü".repeat(60)}` }, "directory: is 34 bytes too long"],
    ["a system schema", { databases: ["mysql"] }, "is a system database"],
    ["a port in config", { config: { port: 1 } }, "config.port"],
    ["a password in config", { config: { "report-password": "x" } }, "config.report-password: is a password"],
    ["a password in configFile", { configFile: "[mysqld]\nreport_password=x\n" }, "configFile: is a password"],
    ["the data directory in config", { config: { datadir: "/x" } }, "config.datadir"],
  ])("with %s is refused with the property's name", (_name, change, words) => {
    expect(refine(declare(change)).join("\n")).toContain(words);
  });

  test.each([
    ["a dump, whose client verifies the address", "dump", { ca: "PEM", verifyIdentity: true }],
    ["a clone from an authority alone", "clone", { ca: "PEM" }],
    ["a clone without an authority", "clone", "required"],
  ])("takes %s", (_name, seed, tls) => {
    const source = { address: "db-1", user: "sync", password: "s3cret", tls };
    expect(refine(declare({ seed, source }))).toEqual([]);
  });

  test("knows socket, account and what it holds without the network", () => {
    expect(derive({ directory: "/srv/mysql/orders", seed: "clone" })).toEqual({
      socket: "/srv/mysql/orders/run/mysqld.sock",
      passwordFile: "/srv/mysql/orders/sluice-account.cnf",
      user: "sluice",
      holds: { databases: "ALL", accounts: true },
    });
  });
});
