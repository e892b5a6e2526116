import { managedServiceOf } from "../../../../provider/mysql/managed-service";

const own = { basedir: "/usr/", version: "8.0.36", version_comment: "MySQL Community Server - GPL" };

test.each([
  ["a server of its owner", {}, [], null],
  ["the directory that RDS installs to", { basedir: "/rdsdbbin/mysql-8.0.36.R1/" }, [], "Amazon RDS"],
  ["the procedures that RDS offers", {}, ["rds_kill", "rds_set_configuration"], "Amazon RDS"],
  [
    "Aurora, which is an RDS too",
    { aurora_version: "3.05.2", basedir: "/rdsdbbin/oscar/" },
    ["rds_kill"],
    "Amazon Aurora",
  ],
  ["Cloud SQL's version", { version: "8.0.31-google" }, [], "Google Cloud SQL"],
  ["Cloud SQL's flags", { cloudsql_iam_authentication: "OFF" }, [], "Google Cloud SQL"],
  ["Azure's procedures", {}, ["az_replication_start"], "Azure Database for MySQL"],
  ["Azure's parameters", { aad_auth_only: "OFF" }, [], "Azure Database for MySQL"],
] as const)("%s is recognised", (_, variables, procedures, service) => {
  expect(managedServiceOf({ ...own, ...variables }, procedures)).toBe(service);
});
