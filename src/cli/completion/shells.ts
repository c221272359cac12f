/** The completion scripts: a table of what follows which words, and names of workspaces asked from the server. */
import type { CompletionEntry } from './completion-model.ts';

/** Prints the names, and nothing when the server cannot be reached. */
const nameCommand = `nexus workspace list --json 2>/dev/null | sed -n 's/^ *"name": "\\(.*\\)",*$/\\1/p'`;

function bash(entries: readonly CompletionEntry[]): string {
  const cases = entries.map(
    ({ words, children, options, takesWorkspace }) =>
      `    '${words}') children='${children.map(({ name }) => name).join(' ')}' options='${options.join(' ')}' names=${takesWorkspace ? 'yes' : ''} ;;`,
  );
  return `# bash completion of nexus: source <(nexus completion bash)
_nexus_table() {
  case "$1" in
${cases.join('\n')}
    *) return 1 ;;
  esac
}
_nexus() {
  local current=\${COMP_WORDS[COMP_CWORD]} words='' word index operands=0
  local children options names
  _nexus_table ''
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    if [[ $word == -* ]]; then continue; fi
    if [[ " $children " == *" $word "* ]]; then
      words=\${words:+$words }$word
      _nexus_table "$words"
    else
      operands=$((operands + 1))
    fi
  done
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
  elif ((operands == 0)); then
    if [[ -n $names ]]; then children="$children $(${nameCommand})"; fi
    mapfile -t COMPREPLY < <(compgen -W "$children" -- "$current")
  fi
}
complete -o default -F _nexus nexus
`;
}

function zsh(entries: readonly CompletionEntry[]): string {
  const cases = entries.map(({ words, children, options, takesWorkspace }) => {
    const described = children.map(({ name, summary }) => quote(`${name}:${summary.replaceAll(':', '\\:')}`)).join(' ');
    return `    '${words}') children=(${described}) options=(${options.join(' ')}) names=${takesWorkspace ? 'yes' : ''} ;;`;
  });
  return `#compdef nexus
# zsh completion of nexus: nexus completion zsh > "\${fpath[1]}/_nexus"
_nexus_table() {
  case "$1" in
${cases.join('\n')}
    *) return 1 ;;
  esac
}
_nexus() {
  local path_words='' word names operands=0
  local -a children options found
  _nexus_table ''
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ $word == -* ]]; then continue; fi
    found=(\${(M)children:#\${word}:*})
    if (( \${#found} )); then
      path_words="\${path_words:+$path_words }$word"
      _nexus_table "$path_words"
    else
      operands=$((operands + 1))
    fi
  done
  if [[ \${words[CURRENT]} == -* ]]; then
    compadd -a options
  elif (( operands == 0 )); then
    (( \${#children} )) && _describe command children
    [[ -n $names ]] && compadd -- \${(f)"$(${nameCommand})"}
  fi
}
if [[ $funcstack[1] == _nexus ]]; then _nexus "$@"; else compdef _nexus nexus; fi
`;
}

function fish(entries: readonly CompletionEntry[]): string {
  const lines = entries.flatMap(({ words, children, options, takesWorkspace }) => {
    const condition = `-n ${quote(`__nexus_at ${words}`.trim())}`;
    return [
      ...children.map(
        ({ name, summary }) => `complete -c nexus -f ${condition} -a ${quote(name)} -d ${quote(summary)}`,
      ),
      ...options.map((option) => `complete -c nexus -f ${condition} -l ${quote(option.slice(2))}`),
      ...(takesWorkspace ? [`complete -c nexus -f ${condition} -a '(__nexus_names)'`] : []),
    ];
  });
  return `# fish completion of nexus: nexus completion fish > ~/.config/fish/completions/nexus.fish
function __nexus_names
    ${nameCommand}
end
function __nexus_at
    set -l typed (string match -v -- '-*' (commandline -opc))
    test "$typed[2..]" = "$argv"
end
${lines.join('\n')}
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export const shells = { bash, zsh, fish } as const;
