import assert from 'node:assert/strict';
import test from 'node:test';
import type { Observation, PeerToServer } from './control-protocol.ts';
import { fitMessage } from './fit-message.ts';

const seen: Observation = {
  workspace_id: 'ws-abcdefghijkl',
  instance: 'running',
  provider: 'lxc',
  address: '10.0.0.1',
  machine: 'm',
  base: null,
  configured: true,
  host_key: 'ssh-ed25519 AAAA',
  clone: null,
  config: null,
  hooks_done: [],
  services: [],
};
const answer = (changes: Partial<Observation>): PeerToServer => ({
  type: 'answer',
  id: 'op-1',
  ok: true,
  seen: { ...seen, ...changes },
});

test('what fits is said as it is', () => {
  assert.deepEqual(JSON.parse(fitMessage(answer({})) ?? ''), answer({}));
});

const madeUp: [string, Partial<Observation>][] = [
  ['a host key of two lines', { host_key: 'ssh-ed25519 AAAA\nws-b ssh-ed25519 BBBB' }],
  ['a commit that a terminal obeys', { clone: { commit: '\u001b[2J', branch: null } }],
  ['an address that is a name', { address: 'localhost' }],
  ['more than a message takes', { base: { image: 'x'.repeat(2 ** 20), packages: [] } }],
];
for (const [name, changes] of madeUp) {
  test(`${name}: the answer says that it cannot be given`, () => {
    const said = JSON.parse(fitMessage(answer(changes)) ?? '') as { id: string; error: { error: string } };
    assert.deepEqual([said.id, said.error.error], ['op-1', 'stream_failed']);
  });
}

test('a heartbeat is one in any case, and other news are left out', () => {
  const health = { name: 'lxc', ok: true, engine: null, version: null, disk_total_bytes: NaN } as never;
  assert.equal(
    fitMessage({ type: 'heartbeat', providers: [{ reason: 1, ...(health as object) } as never] }),
    '{"type":"heartbeat"}',
  );
  assert.equal(fitMessage({ type: 'progress', id: 'x'.repeat(200), line: '' }), null);
});
