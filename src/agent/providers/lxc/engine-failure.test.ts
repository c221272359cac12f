import assert from 'node:assert/strict';
import { it } from 'node:test';
import { NexusError } from '../../../contract/errors.ts';
import { EngineFailure, fromEngine, isAlreadyThere, isBusy, isNotFound, unavailable } from './engine-failure.ts';

const failure = (message: string, status = 500): EngineFailure => new EngineFailure({ status, message });

it('understands the words of the engine', () => {
  assert.ok(isNotFound(failure('nothing', 404)) && isNotFound(failure('Instance not found')));
  assert.ok(isAlreadyThere(failure('clash', 409)) && isAlreadyThere(failure('This instance already exists')));
  assert.ok(isBusy(failure('Instance is busy running a "start" operation')));
  const overtaken = 'Failed to create instance delete operation: A matching non-reusable operation has now succeeded';
  assert.ok(isBusy(failure(overtaken)));
  for (const stranger of [new Error('not found, already exists, busy'), null, failure('x')])
    assert.ok(!isNotFound(stranger) && !isAlreadyThere(stranger) && !isBusy(stranger));
});

it('makes it one of ours and keeps the cause', () => {
  const cause = failure('it fell over');
  const error = unavailable(cause) as NexusError;
  assert.equal(error.code, 'provider_unavailable');
  assert.match(error.message, /it fell over/);
  assert.equal(error.cause, cause);
});

it('tells a full disk whatever was being done', () => {
  for (const text of ['write /x: no space left on device', 'Disk quota exceeded', 'Read-only file system'])
    assert.equal((unavailable(failure(text)) as NexusError).code, 'disk_full', text);
});

it('tells an engine that is on its way out or in', () => {
  const error = (): NexusError => new NexusError('container_start_failed', { instance: 'x', reason: 'y' });
  for (const text of ['LXD is shutting down', 'Daemon is starting up'])
    assert.equal((fromEngine(failure(text, 503), 'x', error) as NexusError).code, 'provider_unavailable', text);
});

it('leaves what is not the engine’s as it is', () => {
  const stranger = new TypeError('a bug');
  assert.equal(
    fromEngine(stranger, 'x', () => new NexusError('internal', {})),
    stranger,
  );
});
