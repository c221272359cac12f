import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { AgentCommand, Observation, PeerToServer } from '../../contract/control-protocol.ts';
import { NexusError } from '../../contract/errors.ts';
import { withoutInstance } from '../../core/plan/without-instance.ts';
import { openJournal } from '../journal.ts';
import type { Execution } from './command-context.ts';
import { createDispatcher } from './dispatcher.ts';
import { createLanes, laneOf } from './lanes.ts';
import { createThrottle } from './throttle.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const id = 'ws-abcdefghijkl';
const seen = withoutInstance(id, 'm');

describe('dispatcher', () => {
  let folder: string;
  let sent: PeerToServer[];
  let executed: ({ command: AgentCommand; end: PromiseWithResolvers<Observation> } & Execution)[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nexus-dispatcher-'));
    sent = [];
    executed = [];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function make(journal = openJournal(join(folder, 'journal'))) {
    return createDispatcher({
      execute(command, execution) {
        const end = Promise.withResolvers<Observation>();
        executed.push({ command, end, ...execution });
        return end.promise;
      },
      send: (message) => sent.push(message) > 0,
      journal,
      log: silent,
    });
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const observe: AgentCommand = { do: 'observe', workspace_id: id };
  const answer = { type: 'answer', id: 'a', ok: true, seen };

  it('answers a command once, also one that is sent again while it runs or later', async () => {
    const dispatcher = make();
    dispatcher.take('a', observe);
    dispatcher.take('a', observe);
    await settle();
    assert.equal(executed.length, 1);
    executed[0]?.end.resolve(seen);
    await settle();
    assert.deepEqual(sent, [answer]);
    dispatcher.take('a', observe);
    make().take('a', observe);
    assert.deepEqual(sent, [answer, answer, answer]);
    assert.equal(executed.length, 1);
  });

  it('does a command anew whose answer was forgotten', async () => {
    const dispatcher = make();
    dispatcher.take('a', observe);
    await settle();
    executed[0]?.end.resolve(seen);
    await settle();
    dispatcher.forget(['a']);
    dispatcher.take('a', observe);
    await settle();
    assert.equal(executed.length, 2);
  });

  it('keeps no answer that an earlier server asked for and the present one does not know of', async () => {
    const dispatcher = make();
    // Of a workspace each, so that none waits for another.
    const observeOf = (name: string): AgentCommand => ({ do: 'observe', workspace_id: `ws-${name.repeat(12)}` });
    for (const name of ['a', 'b', 'c', 'd']) dispatcher.take(name, observeOf(name));
    await settle();
    executed[0]?.end.resolve(seen);
    await settle();
    dispatcher.keepOnly(['b']);
    // It was asked for, so it is asked for again.
    dispatcher.take('d', observeOf('d'));
    for (const one of executed) one.end.resolve(seen);
    await settle();
    const journal = openJournal(join(folder, 'journal'));
    const kept = ['a', 'b', 'c', 'd'].filter((name) => journal.answerTo(name) !== undefined);
    assert.deepEqual(kept, ['b', 'd']);
  });

  it('answers with the error, a stranger as internal', async () => {
    const dispatcher = make();
    dispatcher.take('a', observe);
    dispatcher.take('b', observe);
    await settle();
    executed[0]?.end.reject(new NexusError('not_found', { kind: 'instance', name: id }));
    await settle();
    executed[1]?.end.reject(new Error('secret'));
    await settle();
    assert.deepEqual(
      sent.map((message) => message.type === 'answer' && !message.ok && message.error.error),
      ['not_found', 'internal'],
    );
    assert.doesNotMatch(JSON.stringify(sent), /secret/);
  });

  it('tells progress before the answer', async () => {
    const dispatcher = make();
    dispatcher.take('a', observe);
    await settle();
    for (const line of ['one', 'two', 'three']) executed[0]?.progress(line);
    executed[0]?.end.resolve(seen);
    await settle();
    assert.deepEqual(sent, [
      { type: 'progress', id: 'a', line: 'one' },
      { type: 'progress', id: 'a', line: 'three' },
      answer,
    ]);
  });

  it('answers though the journal cannot be written', async () => {
    const journal = openJournal(join(folder, 'journal'));
    const full = { ...journal, keep: () => assert.fail('no space left') };
    make(full).take('a', observe);
    await settle();
    executed[0]?.end.resolve(seen);
    await settle();
    assert.deepEqual(sent, [answer]);
  });

  for (const end of [
    { do: 'stop_instance', workspace_id: id, force: false },
    { do: 'remove_instance', workspace_id: id },
  ] as const) {
    it(`ends the waits of a workspace at ${end.do}, not those of others or of what comes after it`, async () => {
      const dispatcher = make();
      const base = (workspace_id: string): AgentCommand => {
        return { do: 'ensure_base', workspace_id, provider: 'lxc', image: 'debian:12', packages: ['sl'] };
      };
      dispatcher.take('a', base(id));
      dispatcher.take('b', base('ws-otherother00'));
      dispatcher.take('c', end);
      dispatcher.take('d', { ...observe });
      dispatcher.take('c', end);
      await settle();
      assert.deepEqual(
        executed.map(({ command, signal }) => [command.do, signal.aborted]),
        [
          ['ensure_base', true],
          ['ensure_base', false],
          [end.do, false],
          ['observe', false],
        ],
      );
      assert.match(String(executed[0]?.signal.reason), /is stopping/);
    });
  }

  it('tells nothing of a command after its answer', async () => {
    const dispatcher = make();
    dispatcher.take('a', observe);
    await settle();
    executed[0]?.end.resolve(seen);
    await settle();
    executed[0]?.progress('the build goes on');
    assert.deepEqual(sent, [answer]);
  });

  it('forgets the answers about a workspace that was removed', async () => {
    const journal = openJournal(join(folder, 'journal'));
    const dispatcher = make(journal);
    dispatcher.take('a', observe);
    await settle();
    executed[0]?.end.resolve(seen);
    await settle();
    dispatcher.take('b', { do: 'remove_instance', workspace_id: id });
    await settle();
    executed[1]?.end.resolve(seen);
    await settle();
    assert.equal(journal.answerTo('a'), undefined);
    assert.ok(journal.answerTo('b'));
  });
});

describe('lanes', () => {
  it('do one task after another, each lane by itself, and go on after a failure', async () => {
    const inLane = createLanes();
    const log: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = inLane('a', async () => {
      await gate.promise;
      log.push('first');
      throw new Error('failed');
    });
    const second = inLane('a', async () => log.push('second'));
    await inLane('b', async () => log.push('other'));
    gate.resolve();
    await assert.rejects(first, /failed/);
    await second;
    assert.deepEqual(log, ['other', 'first', 'second']);
  });

  const lanes: readonly [command: unknown, lane: string][] = [
    [{ do: 'create_instance' }, 'instance'],
    [{ do: 'start_instance' }, 'instance'],
    [{ do: 'stop_instance' }, 'instance'],
    [{ do: 'remove_instance' }, 'instance'],
    [{ do: 'clone' }, 'repository'],
    [{ do: 'read_config' }, 'repository'],
    [{ do: 'run_hook' }, 'repository'],
    [{ do: 'start_service', service: { name: 'web' } }, 'service web'],
    [{ do: 'stop_service', service: 'web' }, 'service web'],
    [{ do: 'observe' }, 'observe'],
    [{ do: 'ensure_base' }, 'ensure_base'],
    [{ do: 'configure' }, 'configure'],
  ];
  for (const [command, lane] of lanes) {
    const { do: name } = command as { do: string };
    it(`of ${name}`, () =>
      assert.equal(laneOf({ workspace_id: id, ...(command as object) } as AgentCommand), `${id} ${lane}`));
  }
});

describe('throttle', () => {
  it('passes the first at once and the last of the others when it is time', (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const passed: number[] = [];
    const throttle = createThrottle<number>(100, (value) => passed.push(value));
    for (const value of [1, 2, 3]) throttle.push(value);
    assert.deepEqual(passed, [1]);
    context.mock.timers.tick(100);
    assert.deepEqual(passed, [1, 3]);
    context.mock.timers.tick(100);
    throttle.push(4);
    throttle.push(5);
    throttle.end();
    throttle.end();
    assert.deepEqual(passed, [1, 3, 4, 5]);
  });
});
