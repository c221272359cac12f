#!/bin/sh
# Prints the GitHub token of the workspace's owner, for programs other than git:
#   GH_TOKEN=$(nexus-github-token) gh pr create
token=$(printf 'protocol=%s\nhost=%s\n' '@PROTOCOL@' '@HOST@' | /usr/local/lib/nexus/git-credential get | sed -n 's/^password=//p')
[ -n "$token" ] && printf '%s\n' "$token"
