import { describeScenarios } from "../harness/scenario-suite";

describeScenarios(({ settings }) => settings.program === undefined);
