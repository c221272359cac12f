import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { NexusError } from '../contract/errors.ts';
import { dependencyOrder, findCycle } from './graph.ts';

function graph(edges: Record<string, string[]>): Map<string, string[]> {
  return new Map(Object.entries(edges));
}

test('what is needed comes first, and equals stay in their order', () => {
  const table: [Record<string, string[]>, string[]][] = [
    [{}, []],
    [{ a: [], b: [] }, ['a', 'b']],
    [{ web: ['api'], api: ['db'], db: [] }, ['db', 'api', 'web']],
    [{ web: ['api', 'cache'], cache: ['db'], api: ['db'], db: [] }, ['db', 'api', 'cache', 'web']],
    [{ web: ['elsewhere'] }, ['web']],
  ];
  for (const [edges, order] of table) assert.deepEqual(dependencyOrder(graph(edges)), order);
});

test('a circle is named, closed', () => {
  const table: [Record<string, string[]>, string[]][] = [
    [{ a: ['a'] }, ['a', 'a']],
    [{ a: ['b'], b: ['a'] }, ['a', 'b', 'a']],
    [{ start: ['a'], a: ['b'], b: ['c'], c: ['a'] }, ['a', 'b', 'c', 'a']],
  ];
  for (const [edges, cycle] of table) {
    assert.deepEqual(findCycle(graph(edges)), cycle);
    assert.throws(
      () => dependencyOrder(graph(edges)),
      (error) => {
        assert(error instanceof NexusError);
        assert.equal(error.code, 'dependency_cycle');
        assert.deepEqual(error.details, { cycle });
        return true;
      },
    );
  }
});

test('every order holds, or there is a circle', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  fc.assert(
    fc.property(fc.dictionary(name, fc.array(name, { maxLength: 3 })), (edges) => {
      const dependencies = graph(edges);
      if (findCycle(dependencies)) return;
      const order = dependencyOrder(dependencies);
      assert.deepEqual([...order].sort(), [...dependencies.keys()].sort());
      for (const [dependant, needs] of dependencies) {
        for (const needed of needs) assert(order.indexOf(needed) < order.indexOf(dependant));
      }
    }),
  );
});
