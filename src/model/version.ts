// Written down here as well as in package.json, which is not there to be read once everything is one executable. A test
// keeps them equal.

export const VERSION = "0.1.0"
