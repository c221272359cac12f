/** The completion scripts: a table of what follows which words, and names that are asked from the server. */
import type { CompletionEntry, Values } from './completion-model.ts';

/**
 * `_nexus_names workspace|node`, or `_nexus_names service [WORKSPACE]`: prints the names, and nothing when the server
 * cannot be reached.
 */
const namesFunction = `_nexus_names() {
  case "$1" in
    service) nexus workspace services \${2:+"$2"} --json ;;
    *) nexus "$1" list --json ;;
  esac 2>/dev/null | sed -n 's/^    "name": "\\(.*\\)",*$/\\1/p'
}`;

/** For the shells' tables: `@KIND` is asked for, anything else stands for itself. */
function valuesText(values: Values): string {
  if (values.of === 'words') return values.words.join(' ');
  return values.of === 'unknown' ? '' : `@${values.of}`;
}

/** The branches of `_nexus_values`, for `WORDS --OPTION` and `WORDS OPERANDS-BEFORE`. */
function valueCases(entries: readonly CompletionEntry[]): string {
  return entries
    .flatMap(({ words, options, operands }) => [
      ...options.flatMap(({ name, value }) =>
        value === null ? [] : [[`${words} ${name}`, valuesText(value)] as const],
      ),
      ...operands.map((operand, index) => [`${words} ${index}`, valuesText(operand)] as const),
    ])
    .filter(([, text]) => text !== '')
    .map(([key, text]) => `    ${quote(key)}) values=${quote(text)} ;;`)
    .join('\n');
}

/** `_nexus_values WORDS-AND-PLACE [WORKSPACE]`: prints what can stand in the place. */
function valuesFunction(entries: readonly CompletionEntry[]): string {
  return `_nexus_values() {
  local values=''
  case "$1" in
${valueCases(entries)}
  esac
  case "$values" in
    @*) _nexus_names "\${values#@}" "$2" ;;
    *) echo "$values" ;;
  esac
}
${namesFunction}`;
}

function valuedOptions({ options }: CompletionEntry): string {
  return options.flatMap(({ name, value }) => (value === null ? [] : [name])).join(' ');
}

function optionNames({ options }: CompletionEntry): string {
  return options.map(({ name }) => name).join(' ');
}

/** Nothing of it is newer than the bash 3.2 of macOS. */
function bash(entries: readonly CompletionEntry[]): string {
  const cases = entries.map(
    (entry) =>
      `    '${entry.words}') children='${entry.children.map(({ name }) => name).join(' ')}' options='${optionNames(entry)}' valued='${valuedOptions(entry)}' ;;`,
  );
  return `# bash completion of nexus: source <(nexus completion bash)
_nexus_table() {
  case "$1" in
${cases.join('\n')}
    *) return 1 ;;
  esac
}
${valuesFunction(entries)}
${completeInBash}
`;
}

const completeInBash = `_nexus() {
  local current=\${COMP_WORDS[COMP_CWORD]} words='' word index operands=0 first='' option='' offered=''
  local children options valued
  _nexus_table ''
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    if [[ $word == -- ]]; then return; fi
    if [[ $word == -* ]]; then
      if [[ " $valued " == *" $word "* ]]; then
        index=$((index + 1))
        if ((index == COMP_CWORD)); then option=$word; fi
      fi
    elif [[ " $children " == *" $word "* ]]; then
      words=\${words:+$words }$word
      _nexus_table "$words"
    else
      if ((operands == 0)); then first=$word; fi
      operands=$((operands + 1))
    fi
  done
  if [[ -n $option ]]; then
    offered=$(_nexus_values "$words $option" "$first")
  elif [[ $current == -* ]]; then
    offered=$options
  else
    offered=$(_nexus_values "$words $operands" "$first")
    if ((operands == 0)); then offered="$children $offered"; fi
  fi
  # shellcheck disable=SC2207 # words without spaces
  COMPREPLY=($(compgen -W "$offered" -- "$current"))
}
complete -o default -F _nexus nexus`;

function zsh(entries: readonly CompletionEntry[]): string {
  const cases = entries.map((entry) => {
    const described = entry.children
      .map(({ name, summary }) => quote(`${name}:${summary.replaceAll(':', '\\:')}`))
      .join(' ');
    return `    '${entry.words}') children=(${described}) options=(${optionNames(entry)}) valued=(${valuedOptions(entry)}) ;;`;
  });
  return `#compdef nexus
# zsh completion of nexus: nexus completion zsh > "\${fpath[1]}/_nexus"
_nexus_table() {
  case "$1" in
${cases.join('\n')}
    *) return 1 ;;
  esac
}
${valuesFunction(entries)}
${completeInZsh}
`;
}

const completeInZsh = `_nexus() {
  local path_words='' word operands=0 first='' option='' index
  local -a children options valued found offered
  _nexus_table ''
  for ((index = 2; index < CURRENT; index++)); do
    word=\${words[index]}
    if [[ $word == -- ]]; then _files; return; fi
    if [[ $word == -* ]]; then
      if (( \${valued[(Ie)$word]} )); then
        index=$((index + 1))
        if (( index == CURRENT )); then option=$word; fi
      fi
      continue
    fi
    found=(\${(M)children:#\${word}:*})
    if (( \${#found} )); then
      path_words="\${path_words:+$path_words }$word"
      _nexus_table "$path_words"
    else
      if (( operands == 0 )); then first=$word; fi
      operands=$((operands + 1))
    fi
  done
  if [[ -n $option ]]; then
    offered=(\${=$(_nexus_values "$path_words $option" "$first")})
  elif [[ \${words[CURRENT]} == -* ]]; then
    compadd -a options
    return
  else
    offered=(\${=$(_nexus_values "$path_words $operands" "$first")})
    if (( operands == 0 && \${#children} )); then
      _describe command children
      compadd -a offered
      return
    fi
  fi
  if (( \${#offered} )); then compadd -a offered; else _files; fi
}
if [[ $funcstack[1] == _nexus ]]; then _nexus "$@"; else compdef _nexus nexus; fi`;

function fish(entries: readonly CompletionEntry[]): string {
  const valued = new Set(entries.flatMap((entry) => valuedOptions(entry).split(' ')).filter(Boolean));
  const lines = entries.flatMap(({ words, children, options, operands }) => {
    const at = (count: number | 'any'): string => `-n ${quote(`__nexus_at ${count} ${words}`.trim())}`;
    // The words below have options of their own.
    const anywhere = at(children.length === 0 ? 'any' : 0);
    return [
      ...children.map(({ name, summary }) => `complete -c nexus -f ${at(0)} -a ${quote(name)} -d ${quote(summary)}`),
      ...options.map(
        ({ name, value }) => `complete -c nexus ${anywhere} -l ${quote(name.slice(2))}${fishValue(value)}`,
      ),
      ...operands.flatMap((operand, index) =>
        operand.of === 'unknown' ? [] : [`complete -c nexus -f ${at(index)} -a ${fishWords(operand)}`],
      ),
    ];
  });
  return `# fish completion of nexus: nexus completion fish > ~/.config/fish/completions/nexus.fish
function __nexus_names
    switch $argv[1]
        case service
            nexus workspace services (__nexus_typed)[3] --json 2>/dev/null
        case '*'
            nexus $argv[1] list --json 2>/dev/null
    end | sed -n 's/^    "name": "\\(.*\\)",*$/\\1/p'
end
# What was typed before the word that is completed, without options and their values.
function __nexus_typed
    set -l tokens (commandline -opc)
    set -l is_value no
    for token in $tokens[2..]
        if test $is_value = yes
            set is_value no
        else if contains -- $token ${[...valued].join(' ')}
            set is_value yes
        else if not string match -q -- '-*' $token
            echo $token
        end
    end
end
# __nexus_at COUNT WORD...: so many operands ("any": whatever there is) follow these words.
function __nexus_at
    set -l typed (__nexus_typed)
    set -l wanted $argv[2..]
    for index in (seq (count $wanted))
        test "$typed[$index]" = "$wanted[$index]"; or return 1
    end
    test $argv[1] = any; or test (math (count $typed) - (count $wanted)) -eq $argv[1]
end
${lines.join('\n')}
`;
}

/** How an option takes its value, if it takes one. */
function fishValue(value: Values | null): string {
  if (value === null) return '';
  return value.of === 'unknown' ? ' -r' : ` -x -a ${fishWords(value)}`;
}

function fishWords(values: Values): string {
  return quote(values.of === 'words' ? values.words.join(' ') : `(__nexus_names ${values.of})`);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export const shells = { bash, zsh, fish } as const;
