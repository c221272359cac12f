# shellcheck shell=bash disable=SC2154 # of guest-lib.sh
# guest-put-source.sh SIZE: the repository's bundle from stdin, there whole or not at all.
size=$1 file=$marks/source.bundle
mkdir -p "$marks"
cat >"$file.part" || exit 1
if [[ $(stat -c %s "$file.part") -ne $size ]]; then
  rm -f "$file.part"
  echo 'the upload ended early' >&2
  exit 1
fi
chmod 0644 "$file.part"
mv -f "$file.part" "$file"
