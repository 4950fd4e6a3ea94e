// A tree in box-drawing characters.

export interface Node {
  readonly text: string
  readonly children?: readonly Node[]
}

export function tree(root: Node): string {
  return `${[root.text, ...branches(root.children ?? [])].join("\n")}\n`
}

function branches(nodes: readonly Node[]): string[] {
  return nodes.flatMap((node, i) => {
    const last = i === nodes.length - 1
    return [
      (last ? "└─ " : "├─ ") + node.text,
      ...branches(node.children ?? []).map((line) => (last ? "   " : "│  ") + line),
    ]
  })
}
