import { act } from "../command.ts"
import { oneOf } from "../value.ts"

const SHELLS = ["bash", "zsh", "fish"] as const

export const command = act({
  summary: "Print the completion script for a shell",
  positionals: { shell: { kind: "required", value: oneOf("SHELL", SHELLS) } },
  options: {},
  examples: [
    { line: "source <(linkspan completion bash)", about: "For this bash" },
    { line: "linkspan completion bash > /etc/bash_completion.d/linkspan", about: "For every bash" },
    { line: "linkspan completion zsh > /usr/local/share/zsh/site-functions/_linkspan", about: "For zsh" },
    { line: "linkspan completion fish > ~/.config/fish/completions/linkspan.fish", about: "For fish" },
  ],
  request: ({ positionals }) => positionals.shell,
  async act(session, shell) {
    const { completionScript } = await import("../completion/scripts.ts")
    await session.world.out(completionScript(shell))
    return 0
  },
})
