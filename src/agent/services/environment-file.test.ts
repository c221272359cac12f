import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { it } from 'node:test';
import { environmentFile, pamEnvironment } from './environment-file.ts';

const env = { PLAIN: 'a b=c', ODD: 'a "b" \'c\' $HOME `id` \\ # %\ttab\nline\n', EMPTY: '' };

it('an environment is the same when a shell reads its file', () => {
  const script = `${environmentFile(env)}printf '%s\\0' "$PLAIN" "$ODD" "$EMPTY"`;
  const values = execFileSync('bash', ['-c', script], { encoding: 'utf8' }).split('\0');
  assert.deepEqual(values, [env.PLAIN, env.ODD, env.EMPTY, '']);
});

it('names are in order, so that the same environment is the same file', () => {
  assert.equal(environmentFile({ B: '2', A: '1' }), 'A="1"\nB="2"\n');
});

it('PAM gets only what it passes on as it is', () => {
  assert.equal(pamEnvironment({ ...env, HASH: 'a#b', PAD: ' a' }), 'EMPTY=\nPLAIN=a b=c\n');
});
