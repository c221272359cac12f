/** A node that answers what it is told with anything: its own workspaces come to nothing, and nobody else's do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { AgentCommand, PeerToServer, ServerToPeer } from '../../src/contract/control-protocol.ts';
import { NexusError } from '../../src/contract/errors.ts';
import { newId } from '../../src/contract/ids.ts';
import { loadIdentity } from '../../src/lib/identity.ts';
import { updateNode } from '../../src/server/store/nodes.ts';
import { error, seen } from '../fuzz-wire/control-scripts.ts';
import { shakeHands } from '../fuzz-wire/hostile-peer.ts';
import { textFrame, textMessages } from '../fuzz-wire/web-socket-frames.ts';
import { createReconcileWorld, type ReconcileWorld } from '../support/reconcile-world.ts';
import { ScriptedEngine } from '../support/scripted-agent.ts';

const seed = 20_260_117;
const answersWanted = 60;

const answers = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: error.map((said) => ({ ok: false, error: said })) },
  { weight: 2, arbitrary: seen.map((said) => ({ ok: true, seen: said })) },
);

/** Joins as node-1, or comes back as it, and answers until it is cut off: in all as often as is wanted. */
async function answerWrongly(world: ReconcileWorld, engine: ScriptedEngine): Promise<void> {
  const playlist = fc.sample(answers, { seed, numRuns: answersWanted }).values();
  const identity = await loadIdentity(`${world.dataDir}/mallory.pem`);
  const attacker = {
    port: Number(new URL(world.url).port),
    identity,
    name: 'node-1',
    role: 'agent',
    workspaceId: '',
  } as const;
  let joinToken: string | undefined = await world.joinToken('agent', 'node-1');
  for (;;) {
    const socket = await shakeHands(joinToken === undefined ? attacker : { ...attacker, joinToken }, 'joined');
    joinToken = undefined;
    const say = (message: PeerToServer | object): void => void socket.write(textFrame(message));
    say({ type: 'heartbeat', providers: [health] });
    for await (const text of textMessages(socket)) {
      const message = JSON.parse(text) as ServerToPeer;
      if (message.type !== 'command') continue;
      const { value, done } = playlist.next();
      if (done) return void socket.destroy();
      const honest = async (command: AgentCommand) => ({ ok: true, seen: await engine.perform(command) });
      say({ type: 'answer', id: message.id, ...(value ?? (await honest(message.command))) });
    }
    socket.destroy();
  }
}

const health = {
  name: 'lxc',
  ok: true,
  engine: 'x',
  version: '1',
  disk_total_bytes: 1e12,
  disk_free_bytes: 1e12,
  reason: null,
};

test('answers that make no sense harm the workspaces of that node alone', async () => {
  await using world = await createReconcileWorld();
  await using _honest = await world.agent(new ScriptedEngine(), { name: 'node-2' });
  const victim = await world.create();
  await world.until(victim, ({ status }) => status === 'running');
  await world.store.transaction((tx) => updateNode(tx, 'node-2', { draining: 1 }));
  const before = await world.row(victim);

  const wrong = answerWrongly(world, new ScriptedEngine());
  const own = await Promise.all(Array.from({ length: 30 }, () => world.create()));
  await wrong;

  const { updated_at: _, ...now } = await world.row(victim);
  const { updated_at: __, ...then } = before;
  assert.deepEqual(now, then);
  for (const id of own) {
    const { host_key, address, branch, commit_id } = await world.row(id);
    assert.match(host_key ?? '', /^[ -~]*$/);
    assert.match(`${address} ${branch} ${commit_id}`, /^[ -~]*$/);
  }
  // The server is as good as before.
  await world.store.transaction((tx) => updateNode(tx, 'node-2', { draining: 0 }));
  await world.ask(victim, 'stopped');
  await world.until(victim, ({ status }) => status === 'stopped');
});

test('an error whose details are not those of its code is an error like another', async () => {
  await using world = await createReconcileWorld();
  const engine = new ScriptedEngine();
  const received = { message: 'the hook ended badly', hint: null, requestId: null };
  engine.fail('ensure_base', new NexusError('hook_failed', {} as never, { received }));
  await using _agent = await world.agent(engine);
  const id = await world.create();
  const { error_json } = await world.until(id, ({ status }) => status === 'error');
  assert.match(String(error_json), /the hook ended badly/);
});

test('what a node says of a workspace that it was not asked about is not believed', async () => {
  await using world = await createReconcileWorld();
  const engine = new ScriptedEngine();
  const perform = engine.perform.bind(engine);
  engine.perform = async (command) => ({ ...(await perform(command)), workspace_id: 'ws-000000000000' });
  await using agent = await world.agent(engine);
  const observe = { do: 'observe', workspace_id: newId('ws') } as const;
  await assert.rejects(world.server.hub.command('node-1', observe, { timeoutMs: 5_000 }), {
    code: 'stream_failed',
    message: /node-1 answered for another workspace/,
  });
  assert.equal(agent.client.connected, true);
});
