import { plan } from "../../../../resources/replication-channel/plan";
import type { Declaration } from "../../../../resources/replication-channel/schema";
import { derive } from "../../../../resources/staging-database/schema";
import { context, declare, live, seen, settled, settledChannel } from "../../../samples/replication-channel";

const into = (seeding: string | undefined): Declaration =>
  declare({
    replica: {
      ...declare().replica,
      holds: { databases: "ALL", accounts: true, ...(seeding !== undefined && { seeding }) },
    },
  });

const kinds = (wanted: Declaration, before: Declaration): string[] =>
  plan(wanted, seen(settled(settledChannel(before))), context(before)).steps.map(({ kind }) => kind);

describe("a channel into a staging database that is seeded anew", () => {
  test("is planned from its beginning, because it goes with the data", () => {
    const all = ["claim-channel", "point-channel", "start-channel", "await-applied"];
    expect(kinds(into("2"), into("1"))).toEqual(all);
    expect(kinds(into("1"), into(undefined))).toEqual(all);
  });

  test("has nothing to do where the text stays as it was", () => {
    expect(kinds(into("1"), into("1"))).toEqual([]);
  });

  test("is looked for during up, where it may still be there", () => {
    const wanted = into("2");
    const steps = plan(
      wanted,
      seen(settled(settledChannel(wanted)), live({ channel: null })),
      context(into("1")),
    ).steps;
    expect(steps).toEqual([]);
  });

  test("learns of it from what the staging database says that it holds, without the network", () => {
    const inputs = { directory: "/srv/mysql/orders", databases: ["shop"], reseed: "2" };
    expect(derive(inputs).holds).toEqual({ databases: ["shop"], accounts: false, seeding: "2" });
    expect(derive({ ...inputs, reseed: undefined }).holds).toEqual({ databases: ["shop"], accounts: false });
  });
});
