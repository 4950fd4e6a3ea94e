/** A part of the resident process that listens, until it is disposed of. */
export interface Service extends AsyncDisposable {
  /** What it does, for people: "Docker's network plugin". */
  readonly name: string
  /** Where it is reached: a socket's path, or a URL. */
  readonly address: string
}
