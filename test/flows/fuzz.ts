/** The beginning of `make fuzz`, always the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from '../fuzz/fuzz.ts';

const requests = 1_500;

export function fuzzed(program: readonly string[]): void {
  test(`${requests} requests made from the OpenAPI document get the answers that it promises`, async () => {
    const {
      failures,
      leaks,
      requests: asked,
      footprints,
      atRest,
    } = await fuzz({ program, seed: 20_260_117, requests });
    assert.deepEqual(failures, []);
    assert.deepEqual(leaks, []);
    assert.equal(asked, requests);
    // Connections and files that were opened for requests are closed again.
    assert.ok(atRest.handles <= (footprints[0]?.handles ?? 0) + 8, `${atRest.handles} handles at rest`);
  });
}
