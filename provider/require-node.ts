import { requireNode } from "./node-version";

requireNode(process.versions.node);
