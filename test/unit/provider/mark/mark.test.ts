import { parseMarkFile } from "../../../../provider/mark/file";
import { isOurs, isSameObject, markOf, recorded, renderMark } from "../../../../provider/mark/mark";

const identity = { kind: "StagingDatabase", name: "shop/dev/orders", seal: "one" };
const mark = markOf(identity, { directory: "/srv/orders", phase: "complete", serverId: 7 });

test("a mark comes back as it was written", () => {
  expect(parseMarkFile(renderMark(mark), "orders")).toEqual(mark);
  expect(parseMarkFile(renderMark(recorded(mark, { serverId: 8 })), "orders")?.record).toMatchObject({ serverId: 8 });
});

test("a mark of the version before belongs to a staging database, sealed or not", () => {
  const old = {
    owner: "shop/dev/orders",
    directory: "/srv/orders",
    phase: "seeded",
    serverId: 7,
    hasRootPassword: true,
  };
  const record = { directory: "/srv/orders", phase: "complete", serverId: 7, hasRootPassword: true };
  expect(parseMarkFile(JSON.stringify({ ...old, seal: "one" }), "orders")).toEqual(markOf(identity, record));
  expect(parseMarkFile(JSON.stringify(old), "orders")).toEqual(markOf({ ...identity, seal: null }, record));
  expect(parseMarkFile(JSON.stringify({ ...old, phase: "claimed" }), "orders")?.record).toMatchObject({
    phase: "claimed",
  });
});

test.each([
  "",
  "[mysqld]",
  "null",
  "7",
  "{}",
  '{"owner":"a/b/c"}',
  '{"version":2,"record":{}}',
  '{"version":2,"identity":{"kind":"K","name":"a/b/c","seal":null},"parent":null,"record":null}',
  '{"version":2,"identity":null,"parent":null,"record":{}}',
  '{"version":2,"identity":{},"parent":null,"record":{"serverId":7}}',
  '{"version":2,"identity":{"kind":"K","name":"a/b/c","seal":null},"parent":null,"record":{}}',
])("what cannot be read as a mark stops everything: %j", (text) => {
  expect(() => parseMarkFile(text, "orders")).toThrow(/OWNERSHIP_MARKER_UNREADABLE/);
});

test("without a text there is no mark", () => {
  for (const text of [null, undefined]) expect(parseMarkFile(text, "orders")).toBeNull();
});

test("a mark of a newer version is named with it, and its repair is a newer package", () => {
  const newer = JSON.stringify({ ...mark, version: 9 });
  expect(() => parseMarkFile(newer, "orders")).toThrow(/STATE_TOO_NEW[^]*found +version 9 in sluice.json[^]*install/);
});

test("an object is the same one as far as both marks are sealed", () => {
  const unsealed = { ...identity, seal: null };
  for (const other of [identity, unsealed])
    expect(isSameObject(identity, other) && isSameObject(other, identity)).toBe(true);
  for (const other of [{ ...identity, seal: "two" }, { ...identity, kind: "VirtualDatabase" }, null])
    expect(isSameObject(identity, other)).toBe(false);
});

test("an object is owned by kind, name and seal", () => {
  expect(isOurs(identity, identity)).toBe(true);
  expect(isOurs({ ...identity, seal: null }, identity)).toBe(true);
  for (const other of [{ kind: "VirtualDatabase" }, { name: "shop/prod/orders" }, { seal: "two" }])
    expect(isOurs({ ...identity, ...other }, identity)).toBe(false);
  for (const none of [null, undefined]) expect(isOurs(none, identity)).toBe(false);
});
