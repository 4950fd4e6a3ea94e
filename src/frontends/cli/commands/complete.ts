import { act } from "../command.ts"
import { oneOf } from "../value.ts"

export const command = act({
  summary: "Answer a shell's question for completions",
  description: ["Called by the completion scripts: bash LINE POINT WORDBREAKS, zsh WORD…, fish WORD…"],
  positionals: { shell: { kind: "required", value: oneOf("SHELL", ["bash", "zsh", "fish"]) } },
  rest: { metavar: "WORD…", required: false },
  options: {},
  examples: [],
  request: ({ positionals, rest }) => ({ shell: positionals.shell, words: rest }),
  async act(session, { shell, words }) {
    const { answerShell } = await import("../completion/answer.ts")
    await session.world.out(await answerShell(shell, words, session))
    return 0
  },
})
