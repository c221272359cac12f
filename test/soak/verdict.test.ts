import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { report } from './report.ts';
import type { Sample } from './sample.ts';
import { judge, livesOf, type Result } from './verdict.ts';

const minuteMs = 60_000;
const tally = { calm: { ok: 10_000, failed: 0 }, disturbed: {}, durations: [1, 2, 3], failures: [] };
const held = { opened: 4, used: 1000, ended: {}, lost: [] };

function sample(minute: number, figures: Record<string, number>, server = 1): Sample {
  return { atMs: minute * minuteMs, pids: { server, agent: 2, gateway: 3 }, figures };
}

function samples(figures: (minute: number) => Record<string, number>): Sample[] {
  return Array.from({ length: 60 }, (_, minute) => sample(minute, figures(minute)));
}

const goodResult: Result = {
  durationMs: 60 * minuteMs,
  tallies: {
    reads: { ...tally, count: () => Promise.reject(new Error()) },
    execs: { ...tally, count: () => Promise.reject(new Error()) },
    services: { ...tally, count: () => Promise.reject(new Error()) },
    logins: { ...tally, count: () => Promise.reject(new Error()) },
    cycles: { ...tally, count: () => Promise.reject(new Error()) },
  },
  sessions: held,
  followers: held,
  recoveries: [{ what: 'kill of server', atMs: 5, apiMs: 300, allMs: 700 }],
  disturbances: [{ what: 'kill of server', fromMs: 5, toMs: 705 }],
  samples: samples(() => ({ 'server rss MiB': 100, 'server fds': 40, 'rows of events': 900 })),
  leftovers: [],
};

function failed(changes: Partial<Result>): string[] {
  return judge({ ...goodResult, ...changes }).flatMap(({ ok, what }) => (ok ? [] : [what]));
}

function tallies(name: keyof Result['tallies'], changes: object): Pick<Result, 'tallies'> {
  const { tallies } = goodResult;
  return { tallies: { ...tallies, [name]: { ...tallies[name], ...changes } } };
}

describe('judge', () => {
  it('passes a run in which nothing failed and nothing grew', () => {
    assert.deepEqual(failed({}), []);
  });

  const failure = (during: string[]) => ({ atMs: 1, what: 'w', during });
  const cases: { name: string; changes: Partial<Result>; fails: string[] }[] = [
    {
      name: 'two reads of ten thousand',
      changes: tallies('reads', { calm: { ok: 9_998, failed: 2 } }),
      fails: ['API reads while nothing is disturbed'],
    },
    {
      name: 'a read of ten thousand is the bound',
      changes: tallies('reads', { calm: { ok: 9_999, failed: 1 } }),
      fails: [],
    },
    {
      name: 'no reads at all',
      changes: tallies('reads', { calm: { ok: 0, failed: 0 } }),
      fails: ['API reads while nothing is disturbed'],
    },
    {
      name: 'a short life that failed while the server was killed',
      changes: tallies('cycles', { failures: [failure(['kill of server'])] }),
      fails: ['short lives (create, stop, start, delete) that failed, kills included'],
    },
    {
      name: 'a short life that failed while the engine was away is not ours',
      changes: tallies('cycles', { failures: [failure(['engine away'])] }),
      fails: [],
    },
    {
      name: 'a session',
      changes: { sessions: { ...held, lost: [failure(['kill of server'])] } },
      fails: ['SSH sessions lost, kills of server and agent included'],
    },
    {
      name: 'a kill without recovery',
      changes: { recoveries: [{ what: 'kill of agent', atMs: 5, apiMs: 1, allMs: null }] },
      fails: ['kills without recovery'],
    },
    {
      name: 'memory that grows',
      changes: { samples: samples((minute) => ({ 'server rss MiB': 100 + minute })) },
      fails: ['server rss MiB: lowest of the second half of its longest life'],
    },
    {
      name: 'descriptors and rows that grow',
      changes: { samples: samples((minute) => ({ 'server fds': minute, 'rows of events': 10 * minute })) },
      fails: [
        'server fds: lowest of the second half of its longest life',
        'rows of events: last quarter against the second',
      ],
    },
    {
      name: 'a saw-tooth does not grow',
      changes: { samples: samples((minute) => ({ 'rows of events': 100 * (minute % 10) })) },
      fails: [],
    },
    { name: 'something left over', changes: { leftovers: ['process 7'] }, fails: ['left over at the end'] },
  ];
  for (const { name, changes, fails } of cases) {
    it(`${fails.length === 0 ? 'lets pass' : 'finds'}: ${name}`, () => assert.deepEqual(failed(changes), fails));
  }
});

describe('livesOf', () => {
  it('is a list for each process, without the time in which it warms up', () => {
    const points = livesOf(
      [0, 4, 6, 8, 10, 14, 16, 18].map((minute) => sample(minute, { 'server rss MiB': minute }, minute < 9 ? 1 : 9)),
      'server',
      'server rss MiB',
    );
    assert.deepEqual(
      points.map((life) => life.map(({ value }) => value)),
      [
        [6, 8],
        [16, 18],
      ],
    );
  });
});

describe('report', () => {
  it('names every check, disturbance and figure, and what failed while nothing was disturbed', () => {
    const result: Result = {
      ...goodResult,
      ...tallies('execs', { failures: [{ atMs: 90_000, what: 'exec: refused', during: [] }] }),
      disturbances: [...goodResult.disturbances, { what: 'engine away', fromMs: 60_000, toMs: 61_500 }],
      leftovers: ['process 7'],
    };
    const text = report(result, judge(result));
    for (const part of [
      '| API reads while nothing is disturbed | ≥ 99.99 % | 100.0000 % (0 of 10000 failed) | ok |',
      '| left over at the end | 0 | 1 | FAILED |',
      '| 0.0 | kill of server | 300 | 700 |',
      '| 1.0 | engine away |  | 1500 |',
      '| server rss MiB | 100 | 100 | 100 | 0 |',
      '- 1.5: exec: refused',
      '- left over: process 7',
    ])
      assert.ok(text.includes(part), `${part} is not in\n${text}`);
  });
});
