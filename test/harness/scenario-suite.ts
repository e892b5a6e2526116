import type { Lab } from "../../lab/index.ts";
import { beginScenario, endScenario, playStep, readScenarios, type Play, type Scenario } from "./scenario";
import { requireLab } from "./lab";

const stepWithinSeconds = 420; // 30 s when the machine is idle, 150 s were seen with ten times its work
const firstPort = 3311; // below the ephemeral range, and not what the other floors use
const portsEach = 5; // servers of one scenario

/** One test for each step of each scenario. In several files, so that they run side by side. */
export function describeScenarios(isMeant: (scenario: Scenario) => boolean): void {
  jest.setTimeout(stepWithinSeconds * 1000);
  const scenarios = readScenarios()
    .map((scenario, index) => ({ scenario, name: scenario.name, port: firstPort + index * portsEach }))
    .filter(({ scenario }) => isMeant(scenario));
  let lab: Lab;

  beforeAll(async () => {
    lab = await requireLab();
  });

  describe.each(scenarios)("scenario $name", ({ scenario, name, port }) => {
    let play: Play;
    let failed: string | undefined;

    beforeAll(async () => {
      const place = { directory: `/srv/e2e/${name}`, port, source: lab.host("source").address };
      play = await beginScenario(scenario, lab, place);
    });

    afterAll(() => endScenario(play));

    test.each(scenario.steps)("%s does what it says and leaves nothing to do", async (step) => {
      if (failed !== undefined) throw new Error(`${failed} failed, and this step stands on it`);
      failed = step;
      await playStep(play, step);
      failed = undefined;
    });
  });
}
