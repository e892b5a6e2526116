import { sh } from "../../provider/host/command";
import { runtimeOf } from "../../provider/mysql/instance/instance";
import { layoutOf } from "../../provider/mysql/instance/layout";
import { readNeighbours } from "../../provider/mysql/instance/neighbours";
import { planServerId } from "../../provider/mysql/instance/server-id";
import { unseeded, useStagingLab } from "./staging-lab";

const folder = "/srv/neighbours-test";
const register = "/var/lib/sluice/servers";
const lab = useStagingLab(folder, { declares: { ...unseeded, state: "stopped" } });

jest.setTimeout(240_000);

test("beside two stopped servers a new one gets a server id of its own, and neither's port nor declared id", async () => {
  const { host, declare } = lab;
  const [one, two, three] = [lab.stack("one"), lab.stack("two"), lab.stack("three")];
  // The id that the third server would be given if it were alone, and the one after that.
  const wouldBe = planServerId(undefined, null, `tests/live/three ${host.name} ${folder}/three`, []);
  const first = declare("one", 3770, { serverId: wouldBe });
  const second = declare("two", 3771, { serverId: wouldBe + 1 });
  await one.up(first);
  await two.up(second);

  await expect(three.up(declare("three", 3771))).rejects.toMatchObject({
    code: "SERVER_PORT_TAKEN",
    problem: { what: expect.stringContaining(`the server in ${folder}/two on the same host has it`) as string },
  });
  await expect(three.up(declare("three", 3772, { serverId: wouldBe }))).rejects.toMatchObject({
    code: "SERVER_ID_TAKEN",
    problem: { object: `server in ${folder}/one` },
  });
  expect((await host.inspect(`${folder}/three`)).kind).toBe("absent");

  const third = declare("three", 3772);
  await three.up(third);
  const { settled } = await three.observe(third);
  expect(settled.mark?.record.serverId).toBe(wouldBe + 2);

  // As an earlier version left them: in no register, but with their units.
  const entryFiles = ["one", "two", "three"].map(
    (name) => `${register}/${layoutOf(`${folder}/${name}`).unitName}.json`,
  );
  await host.run(sh`rm ${entryFiles}`);
  const place = { layout: layoutOf(`${folder}/new`), runtime: runtimeOf(await host.facts()), port: 3773 };
  const here = async () => (await readNeighbours(host, place)).filter(({ directory }) => directory.startsWith(folder));
  expect(await here()).toEqual([
    { directory: `${folder}/one`, port: 3770, serverId: wouldBe },
    { directory: `${folder}/three`, port: 3772, serverId: wouldBe + 2 },
    { directory: `${folder}/two`, port: 3771, serverId: wouldBe + 1 },
  ]);

  // Root does not read what user mysql may have put there.
  await host.run(sh`chown mysql: ${`${folder}/one`}`);
  expect((await here()).map(({ directory }) => directory)).toEqual([`${folder}/three`, `${folder}/two`]);
  await host.run(sh`chown root: ${`${folder}/one`}`);

  await one.destroy(first);
  await two.destroy(second);
  await three.destroy(third);
  expect(await here()).toEqual([]);
});
