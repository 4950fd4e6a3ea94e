// The first file of every npm script. In words that even old versions of Node understand, it asks for a new enough one;
// then the script of the given name goes on.

const WANTED = 18

if (Number(process.versions.node.split(".")[0]) < WANTED) {
  process.stderr.write(
    "error: Cannot run with Node " +
      process.versions.node +
      ": version " +
      WANTED +
      " or newer is needed\n" +
      "  Install it: https://nodejs.org/en/download\n",
  )
  process.exit(1)
}
const name = process.argv.splice(2, 1)[0]
void import(`./${name}.mjs`)
