// Commands that take several targets: every one is tried, what worked is shown, and every failure is reported.

import type { Outcome } from "#model/view.ts"

/** Some targets failed. `answer` is what the command says of the others. */
export class PartialFailure extends Error {
  override readonly name = "PartialFailure"
  readonly answer: unknown
  readonly errors: readonly unknown[]

  constructor(answer: unknown, errors: readonly unknown[]) {
    super(`${errors.length} of the targets failed`)
    this.answer = answer
    this.errors = errors
  }
}

/** @throws PartialFailure with the answers of the targets that worked. */
export async function askEach<A>(targets: readonly string[], ask: (target: string) => Promise<A>): Promise<A[]> {
  const { answers, errors } = await tryEach(targets, ask)
  if (errors.length > 0) {
    throw new PartialFailure(answers, errors)
  }
  return answers
}

/** @throws PartialFailure with the merged outcome of the targets that worked. */
export async function changeEach<A>(
  targets: readonly string[],
  change: (target: string) => Promise<Outcome<A>>,
): Promise<Outcome<A[]>> {
  const { answers, errors } = await tryEach(targets, change)
  const outcome = {
    result: answers.map((answer) => answer.result),
    plan: answers.flatMap((answer) => answer.plan),
    dryRun: answers.some((answer) => answer.dryRun),
    warnings: [...new Set(answers.flatMap((answer) => answer.warnings))],
  }
  if (errors.length > 0) {
    throw new PartialFailure(outcome, errors)
  }
  return outcome
}

async function tryEach<A>(
  targets: readonly string[],
  ask: (target: string) => Promise<A>,
): Promise<{ answers: A[]; errors: unknown[] }> {
  const answers: A[] = []
  const errors: unknown[] = []
  for (const target of new Set(targets)) {
    try {
      answers.push(await ask(target))
    } catch (error) {
      errors.push(error)
    }
  }
  return { answers, errors }
}
