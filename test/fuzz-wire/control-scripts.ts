/** What a stranger, or a peer that has joined and is broken or not its owner's any more, does on a control connection. */
import * as fc from 'fast-check';
import { brokenJson, hostileValue } from '../fuzz/hostile-values.ts';
import { frameBytes, opcodes, textFrame } from './web-socket-frames.ts';

/** How far it gets in the handshake before the script begins. */
export const stages = ['dialled', 'challenged', 'joined'] as const;
export type Stage = (typeof stages)[number];

export type Step =
  | { readonly do: 'write'; readonly bytes: Buffer; readonly times: number }
  /** A byte at a time. */
  | { readonly do: 'trickle'; readonly bytes: Buffer }
  | { readonly do: 'end' }
  | { readonly do: 'reset' };

export type Script = { readonly stage: Stage; readonly reads: boolean; readonly steps: readonly Step[] };

/** Stands for the id of a workspace that is on another node. */
export const foreignWorkspace = 'ws-000000000000';
const ids = fc.constantFrom<unknown>(foreignWorkspace, 'ws-abcdefghijkl', 'op-abcdefghijkl', 'op-000000000000');
const name = fc.constantFrom<unknown>('web', 'api', 'x'.repeat(41), 'a b', '__proto__');
const instant = fc.constantFrom<unknown>('2026-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '-1', 'soon', null);

/** Mostly what fits, for what is refused at once tests little. */
function or(fitting: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 4, arbitrary: fitting }, { weight: 1, arbitrary: hostileValue });
}

const report = fc.record({
  name: or(name),
  state: or(fc.constantFrom('stopped', 'starting', 'running', 'restarting', 'failed')),
  health: or(fc.constantFrom('healthy', 'unhealthy', 'unknown', 'timeout')),
  detail: or(fc.constantFrom(null, 'it died', 'x'.repeat(9_000))),
  last_check: or(instant),
  started_at: or(instant),
  deaths: or(fc.constantFrom(0, 5, -1, 2 ** 53)),
});

export const seen = fc.record({
  workspace_id: or(ids),
  instance: or(fc.constantFrom('absent', 'stopped', 'running')),
  provider: or(fc.constantFrom('lxc', null)),
  address: or(fc.constantFrom('10.0.0.1', '127.0.0.1', '0.0.0.0', 'localhost', '::1', null)),
  machine: or(fc.constant('machine-1')),
  base: or(fc.constant({ image: 'debian:12', packages: [] })),
  configured: or(fc.boolean()),
  host_key: or(fc.constantFrom('ssh-ed25519 AAAA', 'ssh-ed25519 AAAA\nws-000000000000 ssh-ed25519 BBBB', null)),
  clone: or(fc.constantFrom(null, { commit: 'c'.repeat(40), branch: 'main' }, { commit: '\u001b[2J', branch: null })),
  config: fc.constant(null),
  hooks_done: or(fc.constant([])),
  services: or(fc.array(report, { maxLength: 3 })),
});

export const error = fc.record({
  error: or(fc.constantFrom('hook_failed', 'clone_failed', 'internal', 'unauthorized', 'package_install_failed')),
  message: or(fc.constant('it failed')),
  details: or(fc.constantFrom({}, { hook: { toString: 1 } }, { output: 1 }, { fields: null })),
  hint: or(fc.constant(null)),
});

const message = fc.oneof(
  fc.record({ type: fc.constant('answer'), id: or(ids), ok: fc.constant(true), seen }),
  fc.record({ type: fc.constant('answer'), id: or(ids), ok: fc.constant(false), error }),
  fc.record({ type: fc.constant('progress'), id: or(ids), line: or(fc.constant('x'.repeat(5_000))) }),
  fc.record({ type: fc.constant('services'), workspace_id: or(ids), services: or(fc.array(report, { maxLength: 3 })) }),
  fc.record({
    type: fc.constant('instances'),
    instances: or(fc.array(fc.record({ workspace_id: or(ids), state: or(fc.constantFrom('stopped', 'running')) }))),
  }),
  fc.record({ type: fc.constant('heartbeat'), providers: or(fc.constant([])), connections: or(fc.nat()) }),
  fc.record({ type: fc.constant('listening'), host: or(fc.constant('127.0.0.1')), port: or(fc.constant(1)) }),
  fc.record({ type: fc.constant('routes_applied'), version: or(fc.nat(9)), failed: or(fc.constant([])) }),
  fc.record({ type: fc.constant('ssh_connected'), workspace_id: or(ids), seconds: or(fc.constant(-1)) }),
  fc.record({ type: fc.constant('hello'), role: or(fc.constant('agent')), name: or(fc.constant('node-1')) }),
  fc.record({ type: fc.constant('proof'), signature: or(fc.constant('AAAA')) }),
  fc.record({ type: fc.constantFrom('command', 'routes', 'welcome', 'forget', '__proto__'), id: or(ids) }),
);

const payload = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
export const brokenFrames = fc
  .record({
    opcode: fc.oneof(fc.constantFrom(...Object.values(opcodes)), fc.integer({ min: 0, max: 15 })),
    payload,
    fin: fc.boolean(),
    reserved: fc.constantFrom(0, 0, 0, 4, 2, 1),
    masked: fc.constantFrom(true, true, true, false),
    declaredLength: fc.constantFrom(undefined, undefined, 0, 125, 126, 70_000, 2 ** 20, 2 ** 31, 2 ** 53),
  })
  .map(({ declaredLength, ...frame }) =>
    frameBytes(declaredLength === undefined ? frame : { ...frame, declaredLength }),
  );

/** A message in pieces, some of them empty, with a ping in between. */
const fragments = fc.tuple(message, fc.integer({ min: 1, max: 40 })).map(([value, size]) => {
  const text = Buffer.from(JSON.stringify(value));
  const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
    frameBytes({ opcode: at === 0 ? 1 : 0, fin: false, payload: text.subarray(at * size, (at + 1) * size) }),
  );
  const ping = frameBytes({ opcode: opcodes.ping, payload: Buffer.from('between') });
  return Buffer.concat([...pieces, ping, frameBytes({ opcode: 0, payload: Buffer.alloc(0) })]);
});

/** A gigabyte of nothing, if anybody were to inflate it. */
const bomb = frameBytes({ opcode: opcodes.text, reserved: 4, payload: Buffer.alloc(60_000, 0) });

const bytes = fc.oneof(
  { weight: 6, arbitrary: message.map(textFrame) },
  { weight: 2, arbitrary: brokenJson.map((json) => frameBytes({ opcode: opcodes.text, payload: json })) },
  { weight: 2, arbitrary: brokenFrames },
  { weight: 1, arbitrary: fragments },
  { weight: 1, arbitrary: payload },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      bomb,
      frameBytes({ opcode: opcodes.text, payload: Buffer.from([0xff, 0xfe, 0xc0, 0x80]) }),
      frameBytes({ opcode: opcodes.text, payload: Buffer.alloc(2 ** 20 + 1, 0x20) }),
      frameBytes({ opcode: opcodes.binary, payload: Buffer.alloc(2 ** 20, 0x5b) }),
      frameBytes({ opcode: opcodes.close, payload: Buffer.from([0x03]) }),
      frameBytes({ opcode: opcodes.close, payload: Buffer.from([0x03, 0xe8]) }),
      frameBytes({ opcode: opcodes.ping, payload: Buffer.alloc(126) }),
    ),
  },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant('write' as const), bytes, times: fc.constantFrom(1, 1, 1, 50) }),
  },
  {
    weight: 1,
    arbitrary: bytes.map((all): Step => ({ do: 'trickle', bytes: all.subarray(0, 400) })),
  },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ do: 'end' }, { do: 'reset' }) },
);

export const scripts: fc.Arbitrary<Script> = fc.record({
  stage: fc.constantFrom(...stages, 'joined' as const),
  reads: fc.constantFrom(true, true, false),
  steps: fc.array(step, { minLength: 1, maxLength: 8 }),
});
