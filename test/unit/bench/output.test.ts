import { readCosts, readPhases } from "../../../bench/output";
import { spreadOf } from "../../../bench/statistics";
import { startCost } from "../../../provider/pulumi/cost";

const cost = startCost()("create");

/** What `pulumi up --debug` prints, shortened. */
const output = `
 +  pulumi-nodejs:dynamic/sluice:StagingDatabase shop creating (3s) 2/5 write my.cnf · 1.5 s
Diagnostics:
  pulumi:pulumi:Stack (bench-test):
    debug: RegisterResource RPC prepared: t=pulumi-nodejs:dynamic/sluice:StagingDatabase, name=shop

  pulumi-nodejs:dynamic/sluice:StagingDatabase (shop):
    1/5 claim directory /srv/bench/ours-dump · 0.3 s
    2/5 write my.cnf, init file and unit · 1.5 s
    5/5 seed by a dump of 198.18.185.11:3306 · 13.0 s
    debug: ${cost}

  pulumi-nodejs:dynamic/sluice:ReplicationChannel (shop):
    4/5 start it · 0.3 s
    debug: cost of update: 1.271 s, connections 0, commands 9, streams 2, logins 3, statements 103

Resources:
    + 3 created
`;

describe("what the benchmark reads from the CLI", () => {
  test("steps count once, for the part of the work they belong to", () => {
    expect(readPhases(output)).toEqual({ server: 1.8, data: 13, channel: 0.3 });
  });

  test("the line that the provider writes for an operation is read whole, under its resource", () => {
    expect(readCosts(output)).toEqual([
      {
        resource: "StagingDatabase",
        operation: "create",
        seconds: expect.closeTo(0, 0) as number,
        connections: 0,
        commands: 0,
        streams: 0,
        logins: 0,
        statements: 0,
      },
      {
        resource: "ReplicationChannel",
        operation: "update",
        seconds: 1.271,
        connections: 0,
        commands: 9,
        streams: 2,
        logins: 3,
        statements: 103,
      },
    ]);
  });

  test("the median of an even number of runs is between the middle two", () => {
    expect(spreadOf([4, 1, 3, 10])).toEqual({ min: 1, median: 3.5, max: 10 });
    expect(spreadOf([2])).toEqual({ min: 2, median: 2, max: 2 });
  });
});
