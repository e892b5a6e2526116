import { SluiceError } from "../../../../provider/errors";

/** The error of ours that a promise ends with; anything else fails the test. */
export async function problemOf(promise: Promise<unknown>): Promise<SluiceError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof SluiceError) return error;
    throw error;
  }
  throw new Error("no error was thrown");
}
