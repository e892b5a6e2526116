import { Gate } from "../../../../../provider/host/ssh/gate";

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("lets so many in, and the next in the order they came", async () => {
  const gate = new Gate(2);
  const entered: string[] = [];
  const enter = (name: string) => gate.enter().then(() => entered.push(name));
  for (const name of ["a", "b", "c", "d"]) void enter(name);
  await settle();
  expect(entered).toEqual(["a", "b"]);
  gate.leave();
  await settle();
  expect(entered).toEqual(["a", "b", "c"]);
  gate.leave();
  await settle();
  expect([entered, gate.inside]).toEqual([["a", "b", "c", "d"], 2]);
});

test("narrows to those who are inside beside the refused one, and never to none", async () => {
  const gate = new Gate(8);
  for (let number = 0; number < 4; number++) await gate.enter();
  gate.narrow();
  gate.leave();
  const entered: string[] = [];
  void gate.enter().then(() => entered.push("late"));
  await settle();
  expect([gate.inside, entered]).toEqual([3, []]);
  gate.leave();
  await settle();
  expect(entered).toEqual(["late"]);

  const lonely = new Gate(8);
  await lonely.enter();
  lonely.narrow();
  lonely.leave();
  await lonely.enter();
  expect(lonely.inside).toBe(1);
});

test("leaves no caller waiting, whatever the order of coming, going and narrowing", async () => {
  const gate = new Gate(5);
  let most = 0;
  await Promise.all(
    Array.from({ length: 200 }, async (_, at) => {
      await gate.enter();
      most = Math.max(most, gate.inside);
      await settle();
      if (at === 50 || at === 90) gate.narrow();
      gate.leave();
    }),
  );
  expect([gate.inside, most]).toEqual([0, 5]);
});
