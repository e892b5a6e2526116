import { complete } from "../../../../provider/pulumi/border";
import { identityIn, takeApart } from "../../../../provider/pulumi/state";
import type { AnyRoom } from "../../../../provider/room";
import { rooms } from "../../../../resources/rooms";
import { everyRoom, identityOf } from "../../../contract/samples";

const roomOf = (kind: string): AnyRoom => {
  const room = rooms.find((one) => one.kind === kind);
  if (room === undefined) throw new Error(`no room ${kind}`);
  return room;
};
const urnOf = (kind: string) => `urn:pulumi:dev::shop::pulumi-nodejs:dynamic/sluice:${kind}::orders`;

/** A state of version 1: owner and seal side by side, and in `settled` no mark but what each room made of it. */
function stateBefore(kind: string, settled: Record<string, unknown>, seal: string | null): Record<string, unknown> {
  return {
    __urn: urnOf(kind),
    __sluice: {
      stateVersion: 1,
      owner: "shop/dev/orders",
      ...(seal !== null && { seal }),
      settled: JSON.stringify(settled),
    },
  };
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what each room settles is its own
const formerly: Record<string, (settled: Record<string, any>) => Record<string, unknown>> = {
  StagingDatabase: ({ mark, ...rest }) => {
    if (mark === null) return { ...rest, marker: null };
    const { identity, record } = mark as { identity: { name: string; seal: string | null }; record: { phase: string } };
    const phase = record.phase === "complete" ? "seeded" : record.phase;
    return { ...rest, marker: { owner: identity.name, seal: identity.seal, ...record, phase } };
  },
  ReplicationChannel: ({ mark, ...rest }) => {
    const { identity, record } = (mark ?? {
      identity: null,
      record: { caughtUp: false, start: null, ended: null },
    }) as {
      identity: { name: string; seal: string | null } | null;
      record: object;
    };
    return { ...rest, owner: identity?.name ?? null, note: { ...record, seal: identity?.seal ?? null } };
  },
};

test.each(everyRoom.filter(({ room }) => room.kind in formerly).map((one) => [one.room.kind, one] as const))(
  "%s: a state of version 1 is read as the same facts, and plans the same steps",
  (kind, { written, settled }) => {
    const room = roomOf(kind);
    for (const seen of settled) {
      const old = formerly[kind]?.(seen as never) ?? {};
      const bag = takeApart(room, stateBefore(kind, old, "one"));
      expect(identityIn(room, bag)).toEqual(identityOf(kind));
      const read = bag.remembered?.settled as Record<string, unknown>;
      expect(room.exists(read)).toBe(room.exists(seen));
      const context = (before: object) => ({
        identity: identityOf(kind),
        object: "orders",
        before: { declared: declaredOf(room, written[0] ?? {}), settled: before },
      });
      const planned = (facts: object): unknown => {
        try {
          return room.plan(declaredOf(room, written[0] ?? {}), { settled: facts, live: null }, context(facts));
        } catch (error) {
          return (error as Error).message;
        }
      };
      expect(planned(read)).toEqual(planned(seen));
      expect(room.outputs(declaredOf(room, written[0] ?? {}), read)).toEqual(
        room.outputs(declaredOf(room, written[0] ?? {}), seen),
      );
    }
  },
);

const declaredOf = (room: AnyRoom, raw: Record<string, unknown>): Record<string, unknown> =>
  complete(room, { declared: raw, urn: urnOf(room.kind), name: "orders" }).inputs;

test("an object that was never complete has no seal in an old state either", () => {
  const room = roomOf("StagingDatabase");
  const bag = takeApart(room, stateBefore("StagingDatabase", { marker: null }, null));
  expect(identityIn(room, bag)).toEqual({ kind: "StagingDatabase", name: "shop/dev/orders", seal: null });
  expect(bag.remembered?.settled).toMatchObject({ mark: null });
});
