import { wordsOf } from "../provider/errors";
import { requireNode } from "../provider/node-version";

// Imported first, so that an old Node is named before it fails on something it cannot load.
try {
  requireNode(process.versions.node);
} catch (error) {
  process.stderr.write(`${wordsOf(error)}\n`);
  process.exit(1);
}
