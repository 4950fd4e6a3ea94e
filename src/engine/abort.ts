/** Does it once the signal is aborted, at once where it is already; not after the watch is disposed of. */
export function onAbort(signal: AbortSignal | undefined, act: () => void): Disposable {
  if (signal?.aborted === true) {
    act()
  }
  signal?.addEventListener("abort", act)
  return { [Symbol.dispose]: () => signal?.removeEventListener("abort", act) }
}
