// Preloaded by the npm scripts: an older Node cannot even read the files that would say so themselves.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `Stipend's scripts need Node 22.18 or later and this is ${process.versions.node}. ` +
      "`npm ci` installs the right one: run it without --ignore-scripts, and start through npm (`npm start`, `npm run demo`).",
  );
  process.exit(1);
}
