// The library: the engine with every verb of the CLI, typed and disposable.
//
//   await using linkspan = await Linkspan.open()
//   await linkspan.networks.create({ name: "web" })

export { Linkspan, type LinkspanOptions, type MutationOptions, type ReconcileOptions } from "#engine/linkspan.ts"
export { ERROR_CODES, type ErrorCode, type Issue, LinkspanError } from "#model/errors.ts"
export type * from "#model/explain.ts"
export type * from "#model/request.ts"
export type * from "#model/view.ts"
