// Imported first: everything else loads packages that Node understands since 22.12 (an ES module through require).
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(`sluice: needs Node 22.12 or newer, this is ${process.versions.node}\n`);
  process.exit(1);
}
