import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gitConfigText } from './git-files.ts';

test('git asks the helper for one host alone, also for its SSH URLs, and signs with the key of the owner', () => {
  assert.equal(
    gitConfigText({ host: 'https://github.com', sshKey: 'ssh-ed25519 AAAA alice@laptop; x' }),
    `[credential "https://github.com"]
	helper = /usr/local/lib/nexus/git-credential
[url "https://github.com/"]
	insteadOf = git@github.com:
	insteadOf = ssh://git@github.com/
[gpg]
	format = ssh
[gpg "ssh"]
	allowedSignersFile = /etc/nexus/allowed-signers
[user]
	signingKey = "key::ssh-ed25519 AAAA"
`,
  );
});

test('without either there is nothing to say', () => {
  assert.equal(gitConfigText({ host: null, sshKey: undefined }), '');
});
