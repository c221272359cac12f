/** What makes git in a workspace work as its owner: git's system-wide configuration, and the helper that it asks. */
import { readFileSync } from 'node:fs';
import type { GuestFile } from '../guest/guest-files.ts';
import { paths } from '../guest/workspace-paths.ts';

/** By which `git log --show-signature` knows the owner's signatures. */
const allowedSigners = '/etc/nexus/allowed-signers';
const helperPath = '/usr/local/lib/nexus/git-credential';
/** For whoever wants it: `GH_TOKEN=$(nexus-github-token) gh pr create`. */
const tokenCommandPath = '/usr/local/bin/nexus-github-token';

/** @param host `https://github.com`; null: git asks nobody. @param sshKey the owner's, for signing; their agent has it */
export function gitFiles({ host, sshKey }: { host: string | null; sshKey: string | undefined }): GuestFile[] {
  return [
    ...(sshKey === undefined ? [] : [{ path: allowedSigners, content: `* namespaces="git" ${sshKey}\n` }]),
    { path: paths.gitConfig, content: gitConfigText({ host, sshKey }) },
    { path: helperPath, content: readAsset('git-credential.sh'), mode: 0o755 },
    { path: tokenCommandPath, content: tokenCommand(host), mode: 0o755 },
  ];
}

function tokenCommand(host: string | null): string {
  if (host === null) return '#!/bin/sh\necho "nexus: this server lends no GitHub tokens" >&2\nexit 1\n';
  const url = new URL(host);
  return readAsset('github-token.sh')
    .replaceAll('@PROTOCOL@', url.protocol.slice(0, -1))
    .replaceAll('@HOST@', url.host);
}

function readAsset(name: string): string {
  return readFileSync(new URL(`./assets/${name}`, import.meta.url), 'utf8');
}

export function gitConfigText({ host, sshKey }: { host: string | null; sshKey: string | undefined }): string {
  const lines: string[] = [];
  if (host !== null) {
    const { hostname, origin } = new URL(host);
    lines.push(`[credential "${origin}"]`, `\thelper = ${helperPath}`);
    lines.push(`[url "${origin}/"]`, `\tinsteadOf = git@${hostname}:`, `\tinsteadOf = ssh://git@${hostname}/`);
  }
  if (sshKey !== undefined) {
    const [type = '', key = ''] = sshKey.split(' ');
    lines.push(
      '[gpg]',
      '\tformat = ssh',
      '[gpg "ssh"]',
      `\tallowedSignersFile = ${allowedSigners}`,
      '[user]',
      `\tsigningKey = "key::${type} ${key}"`,
    );
  }
  return lines.map((line) => `${line}\n`).join('');
}
