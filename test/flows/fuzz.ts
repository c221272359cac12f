/** The beginning of `make fuzz`, always the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from '../fuzz/fuzz.ts';

const requests = 1_500;

export function fuzzed(program: readonly string[]): void {
  test(`${requests} requests made from the OpenAPI document get the answers that it promises`, async () => {
    const result = await fuzz({ program, seed: 20_260_117, requests });
    assert.deepEqual(result.failures, []);
    assert.deepEqual(result.leaks, []);
    assert.equal(result.requests, requests);
  });
}
