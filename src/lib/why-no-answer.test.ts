import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyNoAnswer } from './why-no-answer.ts';

test('why there is no answer is said in words of ours, however deep its cause is', () => {
  const reset = Object.assign(new Error('The socket connection was closed. Pass `verbose: true`'), {
    code: 'ECONNRESET',
  });
  assert.equal(whyNoAnswer(reset), 'the connection was reset');
  const wrapped = new Error('failed', { cause: new TypeError('fetch failed', { cause: reset }) });
  assert.equal(whyNoAnswer(wrapped), 'the connection was reset');
  assert.equal(whyNoAnswer(new DOMException('x', 'TimeoutError')), 'it does not answer in time');
  assert.equal(
    whyNoAnswer(Object.assign(new Error('x'), { code: 'HPE_INVALID' })),
    'what answers there does not speak HTTP',
  );
  assert.equal(whyNoAnswer(new Error('failed', { cause: new Error('why') })), 'why');
  assert.equal(whyNoAnswer('odd'), 'odd');
});
