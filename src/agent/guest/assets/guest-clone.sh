# shellcheck shell=bash
# Runs as dev, in a unit of its own, which ends all that it leaves behind. From the environment: CLONE_URL, CLONE_REF
# (empty: the default branch), CLONE_UPSTREAM, CLONE_BUNDLE (the repository was put there; empty: it comes from the
# URL). The repository is there whole or not at all. What it says last tells why it failed: a line `nexus: REASON` of
# its own, or git's.
set -u
workspace=~/workspace unfinished=~/.nexus-clone
url=$CLONE_URL ref=${CLONE_REF#refs/heads/} upstream=$CLONE_UPSTREAM bundle=$CLONE_BUNDLE
ref=${ref#refs/tags/}
answer_seconds=20 silence_seconds=120

export GIT_TERMINAL_PROMPT=0 LC_ALL=C.UTF-8
export GIT_SSH_COMMAND='ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new -o ConnectTimeout=10 -o ServerAliveInterval=5 -o ServerAliveCountMax=4'
export GIT_HTTP_LOW_SPEED_LIMIT=1000 GIT_HTTP_LOW_SPEED_TIME=20

fail() {
  printf 'nexus: %s\n' "$1"
  exit 1
}

# Runs git and prints what it says, of its progress two lines a second. Fails when it is silent for too long.
watched() {
  local line last='' shown=0 now output git
  exec {output}< <(exec git "$@" 2>&1 < /dev/null | stdbuf -oL tr '\r' '\n'; exit "${PIPESTATUS[0]}")
  git=$!
  while IFS= read -r -t "$silence_seconds" -u "$output" line; do
    now=${EPOCHREALTIME/[.,]/}
    if [[ -n $line && $line != "$last" ]] && { [[ $line != *%* ]] || ((now - shown > 500000)); }; then
      printf '%s\n' "$line"
      last=$line shown=$now
    fi
  done
  (($? <= 128)) || fail "git made no progress for $silence_seconds s"
  exec {output}<&-
  wait "$git"
}

is_commit() {
  [[ $1 =~ ^[0-9a-fA-F]{7,64}$ ]]
}

# A URL that others can use too, not a folder of the machine that the bundle came from.
is_remote() {
  [[ $1 =~ ^(https?|ssh|git|ftps?)://. || $1 =~ ^[^/:]+@[^/:]+:. ]]
}

# Finds out what `ref` is: sets `kind` to branch, tag, other or default. Names every reason why nothing can be had.
ask_remote() {
  local refs status name
  refs=$(timeout -k 1 "$answer_seconds" git ls-remote --quiet -- "$url" HEAD ${ref:+"$ref" "refs/heads/$ref" "refs/tags/$ref"} </dev/null)
  status=$?
  [[ $status -ne 124 && $status -ne 137 ]] || fail "no answer in $answer_seconds s"
  [[ $status -eq 0 ]] || exit 1
  kind=default
  [[ -n $ref ]] || return 0
  for name in heads/"$ref" tags/"$ref"; do
    if [[ $'\n'$refs$'\n' == *$'\t'"refs/$name"$'\n'* ]]; then
      [[ $name == heads/* ]] && kind=branch || kind=tag
      return 0
    fi
  done
  kind=other
  [[ $'\n'$refs$'\n' == *$'\t'"$ref"$'\n'* ]] || is_commit "$ref" || fail "it has no branch, tag or commit $ref"
}

clone_from_remote() {
  ask_remote
  case $kind in
    branch | tag) watched -c advice.detachedHead=false clone --progress --branch "$ref" -- "$url" "$unfinished" || exit 1 ;;
    *) watched clone --progress -- "$url" "$unfinished" || exit 1 ;;
  esac
  [[ $kind == other ]] || return 0
  cd "$unfinished" || exit 1
  git cat-file -e "$ref^{commit}" 2>/dev/null || git fetch --quiet origin "$ref" </dev/null 2>/dev/null ||
    fail "it has no branch, tag or commit $ref"
  git cat-file -e "$ref^{commit}" 2>/dev/null || ref=FETCH_HEAD
  watched -c advice.detachedHead=false checkout --progress --detach "$ref^{commit}" -- || exit 1
}

# Sets `branch` to the one to check out; empty when HEAD is on none.
find_bundled_branch() {
  local head='' hash name
  branch=''
  if [[ -n $ref ]]; then
    ! git show-ref --quiet --verify "refs/heads/$ref" || branch=$ref
    return 0
  fi
  while read -r hash name; do
    [[ $name != HEAD ]] || head=$hash
  done < <(git bundle list-heads "$bundle")
  while read -r hash name; do
    [[ -n $head && $hash != "$head" ]] || [[ -n $branch && $name != main && $name != master ]] || branch=$name
  done < <(git for-each-ref --format '%(objectname) %(refname:short)' refs/heads)
  [[ -n $branch ]] || ref=$head
}

# Everything of the bundle is as it was in the folder that it was made in: its branches are branches here.
clone_from_bundle() {
  [[ -r $bundle ]] || fail 'the repository was not uploaded'
  git init --quiet "$unfinished" && cd "$unfinished" || exit 1
  # On no branch of the person's, so that the checkout finds none of its files missing; it never comes to be.
  git symbolic-ref HEAD refs/nexus/unborn || exit 1
  watched fetch --progress --no-write-fetch-head --update-head-ok "$bundle" '+refs/heads/*:refs/heads/*' \
    '+refs/tags/*:refs/tags/*' '+refs/remotes/*:refs/remotes/*' '+refs/nexus/*:refs/nexus/*' || exit 1
  find_bundled_branch
  if [[ -n $branch ]]; then
    watched checkout --progress "$branch" -- || exit 1
  elif [[ -n $ref ]]; then
    git cat-file -e "$ref^{commit}" 2>/dev/null || git fetch --quiet "$bundle" HEAD 2>/dev/null
    git cat-file -e "$ref^{commit}" 2>/dev/null || fail "it has no branch, tag or commit $ref"
    watched -c advice.detachedHead=false checkout --progress --detach "$ref^{commit}" -- || exit 1
  else
    fail 'it has neither a branch nor a HEAD'
  fi
  ! is_remote "$url" || add_origin
  take_changes
}

# A branch that the remote does not have yet gets its counterpart with the first push.
add_origin() {
  git remote add origin "$url"
  git config push.autoSetupRemote true
  [[ -z $branch ]] || ! git show-ref --quiet --verify "refs/remotes/origin/$branch" ||
    git branch --quiet --set-upstream-to "origin/$branch"
}

# Uncommitted changes come as a commit on top of HEAD, and are uncommitted again.
take_changes() {
  git show-ref --quiet --verify refs/nexus/changes || return 0
  if ! { git read-tree -m -u HEAD refs/nexus/changes && git reset --quiet && git update-ref -d refs/nexus/changes; }; then
    fail 'the uncommitted changes could not be applied'
  fi
}

# What is worked on comes from the original and goes to the fork. That the original does not answer stops nothing.
add_upstream() {
  local branch
  git remote add upstream "$upstream"
  git config remote.pushDefault origin
  git config push.default current
  timeout -k 1 "$answer_seconds" git fetch --quiet upstream </dev/null || {
    printf 'the original, %s, could not be fetched: git fetch upstream does it later\n' "$upstream"
    return 0
  }
  branch=$(git symbolic-ref --quiet --short HEAD) || return 0
  ! git show-ref --quiet --verify "refs/remotes/upstream/$branch" ||
    git branch --quiet --set-upstream-to "upstream/$branch"
}

add_submodules() {
  [[ -f .gitmodules ]] || return 0
  watched submodule update --init --recursive --progress || exit 1
}

[[ -e $workspace/.git ]] && exit 0
rm -rf -- "$unfinished"
if [[ -e $workspace ]]; then rmdir -- "$workspace" 2>/dev/null || fail "$workspace is there and holds other files"; fi
if command -v git-lfs >/dev/null && ! git config --get filter.lfs.process >/dev/null; then git lfs install --skip-repo >/dev/null; fi

if [[ -n $bundle ]]; then clone_from_bundle; else clone_from_remote; fi
cd "$unfinished" || exit 1
add_submodules
[[ -z $upstream ]] || add_upstream
mv -T -- "$unfinished" "$workspace"
