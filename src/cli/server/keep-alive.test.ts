import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { keepAlive } from './keep-alive.ts';

function socketWith(state: { answers: boolean; isPaused?: boolean; readyState?: number }) {
  const socket = Object.assign(new EventEmitter(), {
    OPEN: 1 as const,
    readyState: 1 as const,
    isPaused: false,
    ...state,
    asked: 0,
    ended: 0,
    ping() {
      socket.asked += 1;
      if (state.answers) socket.emit('pong');
    },
    terminate() {
      socket.ended += 1;
      socket.emit('close');
    },
  });
  return socket;
}
type Socket = Parameters<typeof keepAlive>[0];
const bounds = { everyMs: 10, mostUnanswered: 3 };

const cases: readonly [name: string, state: Parameters<typeof socketWith>[0], asked: number, ended: number][] = [
  ['one that answers lives on', { answers: true }, 9, 0],
  ['one that does not is cut', { answers: false }, 3, 1],
  ['one that is not listened to may be silent', { answers: false, isPaused: true }, 9, 0],
  ['one that is closing is asked nothing', { answers: false, readyState: 2 }, 0, 0],
];
for (const [name, state, asked, ended] of cases) {
  test(name, (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const socket = socketWith(state);
    keepAlive(socket as unknown as Socket, bounds);
    t.mock.timers.tick(90);
    assert.deepEqual([socket.asked, socket.ended], [asked, ended]);
    socket.emit('close');
    t.mock.timers.tick(90);
    assert.equal(socket.asked, asked);
  });
}

test('what is said counts as an answer', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const socket = socketWith({ answers: false });
  keepAlive(socket as unknown as Socket, bounds);
  for (let round = 0; round < 5; round += 1) {
    t.mock.timers.tick(20);
    socket.emit('message');
  }
  assert.deepEqual([socket.asked, socket.ended], [10, 0]);
  socket.emit('close');
});
