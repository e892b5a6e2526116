import { startTestLab } from "./lab";

// jest wants a module that is the function. Where `npm test` only counts the tests it cannot run, there is no lab to start.
module.exports = async () => {
  if (process.env["SLUICE_TESTS_COUNT_ONLY"] === undefined) await startTestLab();
};
