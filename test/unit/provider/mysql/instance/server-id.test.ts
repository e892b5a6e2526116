import { planServerId } from "../../../../../provider/mysql/instance/server-id";

const source = { endpoint: "db1:3306", serverId: 1001, replicaIds: [1002] };

describe("a server id", () => {
  const text = "shop/dev/orders stage-1 /srv/orders";
  const at = (directory: string, serverId: number) => ({ directory, serverId });

  test("is kept when declared, found when not, and never one that is in use", () => {
    const own = planServerId(undefined, source, text, []);
    expect(planServerId(undefined, source, text, [])).toBe(own);
    expect(planServerId(undefined, null, text, [])).toBe(own);
    expect(own).toBeGreaterThanOrEqual(1_000_000);
    expect(planServerId(undefined, { ...source, replicaIds: [own, own + 1] }, text, [])).toBe(own + 2);
    expect(planServerId(undefined, source, "another", [])).not.toBe(own);
    expect(planServerId(7, source, "x", [])).toBe(7);
    expect(() => planServerId(1001, source, "x", [])).toThrow(/CHANNEL_SERVER_ID_EQUAL/);
    expect(() => planServerId(1002, source, "x", [])).toThrow(/has a replica with the declared server id/);
  });

  test("differs from those of all servers on the host", () => {
    const own = planServerId(undefined, null, text, []);
    const neighbours = [at("/srv/a", own), at("/srv/b", own + 2)];
    expect(planServerId(undefined, { ...source, replicaIds: [own + 1] }, text, neighbours)).toBe(own + 3);
    expect(planServerId(7, source, text, neighbours)).toBe(7);
    expect(() => planServerId(7, source, text, [...neighbours, at("/srv/c", 7)])).toThrow(
      /^server in \/srv\/c: has the declared server id 7.* \(SERVER_ID_TAKEN\)/,
    );
  });
});
