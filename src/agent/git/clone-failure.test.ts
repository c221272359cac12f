import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cloneFailureReason } from './clone-failure.ts';
import { hideCredentials } from './hide-credentials.ts';

/** What git, ssh and curl say, verbatim. */
const cases: readonly [said: string, reason: RegExp][] = [
  ['nexus: it has no branch, tag or commit x\nfatal: whatever', /^it has no branch, tag or commit x$/],
  [
    "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
    /asks for a user name and a password/,
  ],
  [
    "remote: Invalid username or password.\nfatal: Authentication failed for 'https://github.com/a/b/'",
    /asks for a user name/,
  ],
  ["fatal: unable to access 'https://x/': The requested URL returned error: 403", /forbidden/],
  [
    'git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.',
    /did not accept any key/,
  ],
  ['Host key verification failed.\nfatal: Could not read from remote repository.', /not the one that was known/],
  [
    "fatal: unable to access 'https://nope.invalid/': Could not resolve host: nope.invalid",
    /there is no host nope\.invalid/,
  ],
  ['ssh: Could not resolve hostname nope.invalid: Name or service not known', /there is no host nope\.invalid/],
  ['fatal: unable to look up nope.invalid (port 9418) (Name or service not known)', /there is no host nope\.invalid/],
  ['ssh: connect to host 10.0.0.1 port 22: Connection timed out', /does not answer/],
  [
    "fatal: unable to access 'https://x/': Failed to connect to x port 443 after 3 ms: Couldn't connect to server",
    /refuses/,
  ],
  ['ssh: connect to host x port 22: Connection refused', /refuses/],
  ['ssh: connect to host x port 22: No route to host', /cannot be reached/],
  [
    "fatal: unable to access 'https://x/': server certificate verification failed. CAfile: none CRLfile: none",
    /not trusted/,
  ],
  ["fatal: unable to access 'https://x/': error:0A00010B:SSL routines::wrong version number", /TLS/],
  ['error: unable to create file a: No space left on device', /disk of the workspace is full/],
  ['Error downloading object: a.bin (1234): Smudge error: Error downloading a.bin', /LFS/],
  [
    "fatal: clone of 'file:///srv/nowhere' into submodule path '/home/dev/.nexus-clone/gone' failed",
    /submodule file:\/\/\/srv\/nowhere/,
  ],
  ["Failed to clone 'deps/lib'. Retry scheduled", /submodule deps\/lib/],
  ["fatal: Unable to checkout 'abc' in submodule path 'deps/lib'", /submodule deps\/lib/],
  ['remote: Repository not found.\nfatal: repository not found', /no such repository/],
  ["fatal: '/srv/x' does not appear to be a git repository", /no such repository/],
  ["fatal: repository 'http://x/' not found", /no such repository/],
  ['fatal: remote error: access denied or repository not exported: /x', /no such repository/],
  ["fatal: Unable to find remote helper for 'foo'", /does not speak/],
  ["fatal: transport 'ext' not allowed", /does not speak/],
  ["git: 'remote-gopher' is not a git command. See 'git --help'.", /does not speak/],
  [
    'warning: Could not find remote branch x to clone.\nfatal: Remote branch x not found in upstream origin',
    /it has no branch x/,
  ],
  ['error: Repository lacks these prerequisite commits:', /upload is incomplete/],
  ["error: 'x' does not look like a v2 or v3 bundle file", /damaged/],
  ['fatal: the remote end hung up unexpectedly\nfatal: early EOF', /broke off/],
  ['error: RPC failed; curl 28 Operation too slow. Less than 1000 bytes/sec', /sends nothing any more/],
  ['hint: something\nfatal: a new thing went wrong.\nhint: other', /^a new thing went wrong$/],
  ['something odd', /^something odd$/],
  ['', /git did not say why/],
];

describe('why a clone failed', () => {
  for (const [said, reason] of cases) {
    it(said.split('\n')[0] || 'nothing said', () => assert.match(cloneFailureReason(said.split('\n')), reason));
  }
});

it('user names and passwords are not shown', () => {
  assert.equal(hideCredentials("access 'https://me:secret@host/x' git@host:y"), "access 'https://host/x' git@host:y");
  assert.equal(hideCredentials('http://token@host'), 'http://host');
});
