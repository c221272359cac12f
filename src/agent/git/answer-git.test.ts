import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerGit, type Lent } from './answer-git.ts';

const now = new Date('2026-01-17T10:00:00.000Z');
const lent: Lent = { host: 'https://github.com', username: 'alice', token: 'gho_secret', expires_at: null };
const attributes = 'capability[]=authtype\nprotocol=https\nhost=github.com\nwwwauth[]=Basic realm="GitHub"\n';
const get = { operation: 'get', attributes };

test('git gets the name and the token of the owner', () => {
  assert.deepEqual(answerGit(get, lent, now), { credential: 'username=alice\npassword=gho_secret\n' });
});

test('a name in the URL may be written differently, but not be another', () => {
  const asked = (name: string) => answerGit({ ...get, attributes: `${attributes}username=${name}\n` }, lent, now);
  assert.ok('credential' in asked('Alice'));
  assert.deepEqual(asked('bob'), { nothing: true });
});

for (const other of [
  'protocol=https\nhost=evil.example\n',
  'protocol=http\nhost=github.com\n',
  'protocol=https\nhost=github.com:8443\n',
  '',
])
  test(`nothing is told of it for ${JSON.stringify(other)}`, () => {
    assert.deepEqual(answerGit({ ...get, attributes: other }, lent, now), { nothing: true });
  });

test('an Enterprise Server may have a port of its own', () => {
  const answer = answerGit(
    { ...get, attributes: 'protocol=https\nhost=git.example:8443\n' },
    { ...lent, host: 'https://git.example:8443' },
    now,
  );
  assert.ok('credential' in answer);
});

test('git is told until when the token is good, and the person when that is over', () => {
  const until = (expires_at: string) => answerGit(get, { ...lent, expires_at }, now);
  assert.deepEqual(until('2026-01-17T10:00:01Z'), {
    credential: 'username=alice\npassword=gho_secret\npassword_expiry_utc=1768644001\n',
  });
  const over = until('2026-01-17T10:00:00Z');
  assert.match(
    'reason' in over ? over.reason : '',
    /^the GitHub token of alice ended at 2026-01-17T10:00:00Z; sign in .*nexus auth github/,
  );
});

test('without a token the person hears what to do', () => {
  const answer = answerGit(get, undefined, now);
  assert.match('reason' in answer ? answer.reason : '', /no GitHub token for this workspace; sign in/);
});

test('only the token that was given counts as refused', () => {
  const erase = (password: string) =>
    answerGit({ operation: 'erase', attributes: `${attributes}password=${password}\n` }, lent, now);
  const rejected = erase('gho_secret');
  assert.ok('isRejected' in rejected);
  assert.match(rejected.reason, /^GitHub does not accept the token of alice; sign in .*nexus auth github/);
  assert.deepEqual(erase('gho_older'), { nothing: true });
  assert.deepEqual(answerGit({ operation: 'store', attributes }, lent, now), { nothing: true });
});
