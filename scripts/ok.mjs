// npm run ok: everything that needs neither root nor Debian packages. The gates and the unit tests of npm test.

process.argv.splice(2, 0, "--gates", "--unit")
await import("./test.mjs")
