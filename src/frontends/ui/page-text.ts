// The page's program as one text. Called as a macro: when the executable is built, or when this checkout's code is loaded,
// the page's modules become one file, so that a running linkspan has nothing to bundle and nothing to look for.

export function pageProgram(): string {
  const entry = `${import.meta.dir}/page/main.ts`
  const { exitCode, stdout, stderr } = Bun.spawnSync(
    [process.execPath, "build", entry, "--target=browser", "--format=esm", "--minify"],
    { cwd: `${import.meta.dir}/../../..`, stdin: "ignore" },
  )
  if (exitCode !== 0) {
    throw new Error(`Cannot bundle the page:\n${stdout}${stderr}`)
  }
  return stdout.toString()
}
