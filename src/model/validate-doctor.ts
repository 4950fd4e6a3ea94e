import type { DoctorRequest } from "./doctor.ts"
import { type Checked, checked, optional, presentOnly, readBoolean, readObject, readText, rootField } from "./field.ts"

/** Of a unix socket. */
const LONGEST_PATH = 107

const FIELDS = { fix: true, canaries: true, docker: true, bundle: true } as const satisfies Record<
  keyof DoctorRequest,
  true
>

export function checkDoctor(request: unknown): Checked<DoctorRequest> {
  const root = rootField(request)
  const fields = readObject(root, FIELDS)
  if (fields === undefined) {
    return checked(root, undefined)
  }
  return checked(
    root,
    presentOnly({
      fix: optional(fields.fix, readBoolean),
      canaries: optional(fields.canaries, readBoolean),
      docker: optional(fields.docker, (path) => readText(path, LONGEST_PATH)),
      bundle: optional(fields.bundle, readBoolean),
    }),
  )
}
