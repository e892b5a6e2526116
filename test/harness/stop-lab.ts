import { stopTestLab } from "./lab";

// jest wants a module that is the function.
module.exports = async () => {
  if (process.env["SLUICE_TESTS_COUNT_ONLY"] === undefined) await stopTestLab();
};
