// The scripts that shells load. They only pass the line on to `linkspan __complete`, so they never grow stale.

const BASH = `# bash completion for linkspan
_linkspan() {
  local lines answer
  mapfile -t lines < <("\${1/#\\~/$HOME}" __complete bash -- "$COMP_LINE" "$COMP_POINT" "$COMP_WORDBREAKS" 2>/dev/null)
  answer=\${lines[0]-}
  COMPREPLY=("\${lines[@]:1}")
  case $answer in
    :nospace) compopt -o nospace ;;
    :files*) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "\${answer#:files }") ;;
    :directories*) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "\${answer#:directories }") ;;
    :commands*) mapfile -t COMPREPLY < <(compgen -c -- "\${answer#:commands }") ;;
  esac
}
complete -F _linkspan linkspan
`

const ZSH = `#compdef linkspan
# zsh completion for linkspan
_linkspan() {
  local -a lines described
  local line
  lines=("\${(@f)$("\${words[1]}" __complete zsh -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "\${(@)lines[2,-1]}"; do
    if [[ "$line" = *$'\\t'* ]]; then
      described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    else
      described+=("\${line//:/\\\\:}")
    fi
  done
  case "\${lines[1]}" in
    :files*) compset -P '--[^=]#='; _files ;;
    :directories*) compset -P '--[^=]#='; _files -/ ;;
    :commands*) _command_names -e ;;
    :nospace) _describe -t values linkspan described -S '' ;;
    *) _describe -t values linkspan described ;;
  esac
}
if [[ "\${funcstack[1]}" = _linkspan ]]; then
  _linkspan "$@"
else
  compdef _linkspan linkspan
fi
`

const FISH = `# fish completion for linkspan
function __linkspan_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l before (string match -r -- '^--[^=]*=' "$current")
  set -l lines ($words[1] __complete fish -- $words[2..-1] "$current" 2>/dev/null)
  switch "$lines[1]"
    case ':files *'
      __fish_complete_path (string replace ':files ' '' -- "$lines[1]") | string replace -r -- '^' "$before"
    case ':directories *'
      __fish_complete_directories (string replace ':directories ' '' -- "$lines[1]") | string replace -r -- '^' "$before"
    case ':commands *'
      __fish_complete_command
    case '*'
      printf '%s\\n' $lines[2..-1]
  end
end
complete -c linkspan -f -a '(__linkspan_complete)'
`

const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH }

export function completionScript(shell: string): string {
  return SCRIPTS[shell] ?? ""
}
