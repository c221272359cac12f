#!/bin/sh
# Git's credential helper in a workspace: what git asks (gitcredentials(7)) goes to the agent of the node, which answers
# from its memory. A reason why there is nothing is for the person, and git goes on to its next helper.
answer=$(curl -q --silent --noproxy '*' --max-time 10 --write-out '%{http_code}' \
  --unix-socket /var/lib/nexus/agent/git.sock --data-binary @- "http://agent/$1") ||
  { [ "$1" != get ] || echo 'nexus: the agent of this node does not answer; try again in a moment' >&2; exit 0; }
body=${answer%???}
case ${answer#"$body"} in
  200) [ -z "$body" ] || printf '%s\n' "$body" ;;
  *) echo "nexus: $body" >&2 ;;
esac
