# shellcheck shell=bash
# guest-read-config.sh DEPTH PATHS BYTES SKIPPED...: what tells how the repository's services are run. Prints records,
# each field ended by a NUL: `path` NAME for the listing, `hook` PATH for the hooks that may be executed, and `end`.
# Then it takes the names of files from stdin, each ended by a NUL, and prints `file` PATH CONTENT for each.
depth=$1 paths=$2 bytes=$3
shift 3
skipped=()
for name in "$@"; do skipped+=(-name "$name" -o); done

cd /home/dev/workspace || exit 1
find . -mindepth 1 -maxdepth "$depth" \( "${skipped[@]}" -false \) -prune -o ! -type d -printf 'path\0%P\0' |
  head -z -n "$((paths * 2))"
for hook in .nexus/hooks/*; do
  [[ ! -f $hook || ! -x $hook ]] || printf 'hook\0%s\0' "$hook"
done
printf 'end\0'

while IFS= read -r -d '' file; do
  [[ -f $file && -r $file ]] || continue
  printf 'file\0%s\0' "$file"
  head -c "$bytes" -- "$file" | tr -d '\0'
  printf '\0'
done
