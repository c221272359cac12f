/** A great many requests to one server, the same ones for the same seed, each answer judged. */
import * as fc from 'fast-check';
import { setTimeout as delay } from 'node:timers/promises';
import { readApiDocument, type Operation } from './api-document.ts';
import { brokenExchanges, sendable, type Known, type Sendable } from './exchanges.ts';
import { createJudge } from './judge-answer.ts';
import { drafts, type Draft } from './request-drafts.ts';
import type { Footprint, ServerUnderTest } from './server-under-test.ts';
import { vocabulary } from './vocabulary.ts';
import { Connection, type Outcome } from './wire.ts';

/** `index` null: it was none of the numbered requests. */
export type Failure = { readonly index: number | null; readonly what: string; readonly request: string };

export type CampaignReport = {
  readonly requests: number;
  readonly answersByStatus: ReadonlyMap<string, number>;
  readonly failures: readonly Failure[];
  /** Of the server process: at the start, and then after each tenth. */
  readonly footprints: readonly Footprint[];
  readonly slowest: readonly { readonly milliseconds: number; readonly request: string }[];
  /** The longest that `GET /health`, asked all the while, took to answer. */
  readonly slowestHealthMs: number;
};

export type CampaignOptions = {
  readonly server: ServerUnderTest;
  readonly seed: number;
  readonly requests: number;
  /** The number of the first; to replay a part of a longer one. */
  readonly from?: number;
  readonly unavailable: ReadonlySet<string>;
  /** Between two rounds, e.g. for a node that was removed by one of the requests to be added again. */
  readonly betweenRounds?: () => Promise<void>;
  readonly onProgress?: (done: number) => void;
};

const roundLength = 250;
const connections = 6;
const answerWithinMs = 20_000;
const mostFailures = 50;
const slowestKept = 8;

type Asked = {
  readonly index: number;
  readonly operation: Operation | null;
  readonly make: (known: Known) => Sendable;
};

export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const { server, requests, unavailable, from = 0 } = options;
  const document = await readApiDocument(server.url);
  const judge = createJudge(document, unavailable);
  const rounds = createRounds(document.operations, options.seed);
  const report = emptyReport();
  const health = watchHealth(server.url);
  report.footprints.push(await server.footprint());
  for (let first = from; first < from + requests; first = nextRound(first)) {
    const asked = rounds(first).slice(0, from + requests - first);
    const known = { token: server.token, workspaces: await listWorkspaces(server) };
    await inParallel(
      asked,
      async (one, connection) => {
        const sent = one.make(known);
        const outcome = await connection.exchange(sent, answerWithinMs);
        const isLate = outcome.ending === 'late';
        const state = isLate ? await workspaceOf(server, sent) : '';
        noteOutcome(report, { ...one, sent, outcome, state, token: server.token }, judge);
      },
      server.port,
    );
    const done = first - from + asked.length;
    if (Math.floor((done * 10) / requests) > report.footprints.length - 1)
      report.footprints.push(await server.footprint());
    options.onProgress?.(done);
    if (report.failures.length >= mostFailures) break;
    await options.betweenRounds?.();
  }
  return { ...report, slowestHealthMs: await health.end() };
}

function nextRound(index: number): number {
  return (Math.floor(index / roundLength) + 1) * roundLength;
}

/** The requests of a round from its first number: nothing of them depends on what was answered before. */
function createRounds(operations: readonly Operation[], seed: number): (first: number) => Asked[] {
  const drafted = drafts(operations, vocabulary);
  const asIfKnown = drafted.map((draft) => sendable(draft, { token: 'none', workspaces: [] }));
  const any: fc.Arbitrary<Draft | Sendable> = fc.oneof(
    { weight: 19, arbitrary: drafted },
    { weight: 1, arbitrary: brokenExchanges(asIfKnown) },
  );
  return (first) => {
    const round = Math.floor(first / roundLength);
    const samples = fc.sample(any, { seed: (seed + round * 7919) | 0, numRuns: roundLength });
    return samples
      .map((one, at): Asked => {
        const index = round * roundLength + at;
        if ('pieces' in one) return { index, operation: null, make: () => one };
        return { index, operation: one.operation, make: (known) => sendable(one, known) };
      })
      .filter(({ index }) => index >= first);
  };
}

type Report = Omit<CampaignReport, 'slowestHealthMs'> & {
  requests: number;
  readonly answersByStatus: Map<string, number>;
  readonly failures: Failure[];
  readonly footprints: Footprint[];
  readonly slowest: { milliseconds: number; request: string }[];
};

function emptyReport(): Report {
  return { requests: 0, answersByStatus: new Map(), failures: [], footprints: [], slowest: [] };
}

type Noted = Asked & {
  readonly sent: Sendable;
  readonly outcome: Outcome;
  readonly state: string;
  readonly token: string;
};

function noteOutcome(
  report: Report,
  { index, operation, sent, outcome, state, token }: Noted,
  judge: ReturnType<typeof createJudge>,
): void {
  report.requests += 1;
  const request = requestText(sent, token);
  const fail = (what: string): void => void report.failures.push({ index, what, request });
  for (const answer of outcome.answers) {
    count(report.answersByStatus, String(answer.status));
    const problem = judge(answer, { operation, method: sent.method });
    if (problem !== null) fail(`${problem}\n${answer.body.toString().slice(0, 400)}`);
  }
  if (outcome.ending === 'late') fail(`no answer within ${answerWithinMs / 1000} s: ${state}`);
  if (outcome.ending === 'closed') {
    count(report.answersByStatus, 'closed');
    if (!sent.mayClose) fail('the connection was closed without an answer');
  }
  report.slowest.push({ milliseconds: outcome.milliseconds, request });
  if (report.slowest.length < slowestKept * 10) return;
  report.slowest.sort((a, b) => b.milliseconds - a.milliseconds);
  report.slowest.length = slowestKept;
}

/** What the server says of the workspace that the request was about. */
async function workspaceOf({ url, token }: ServerUnderTest, { pieces }: Sendable): Promise<string> {
  const id = /ws-[a-z0-9]{12}/.exec(String(pieces[0]))?.[0];
  if (id === undefined) return 'no workspace';
  const response = await fetch(`${url}/api/v1/workspaces/${id}`, { headers: { authorization: `Bearer ${token}` } });
  return response.text();
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function requestText({ pieces }: Sendable, token: string): string {
  return JSON.stringify(
    Buffer.concat([...pieces])
      .toString('latin1', 0, 1500)
      .replaceAll(token, 'TOKEN'),
  ).slice(0, 900);
}

async function inParallel(
  asked: readonly Asked[],
  ask: (one: Asked, connection: Connection) => Promise<void>,
  port: number,
): Promise<void> {
  const waiting = asked.values();
  const work = async (): Promise<void> => {
    let connection = await Connection.open(port);
    for (const one of waiting) {
      if (!connection.isUsable) {
        connection.destroy();
        connection = await Connection.open(port);
      }
      await ask(one, connection);
    }
    connection.destroy();
  };
  await Promise.all(Array.from({ length: connections }, work));
}

export async function listWorkspaces({ url, token }: ServerUnderTest): Promise<string[]> {
  const response = await fetch(`${url}/api/v1/workspaces?limit=200`, { headers: { authorization: `Bearer ${token}` } });
  const { workspaces } = (await response.json()) as { workspaces: { workspace_id: string }[] };
  return workspaces.map(({ workspace_id }) => workspace_id);
}

/** Asks all the while: a server whose event loop is held up answers late. */
function watchHealth(url: string): { end(): Promise<number> } {
  let slowestMs = 0;
  const ended = new AbortController();
  const watching = (async () => {
    while (!ended.signal.aborted) {
      const start = performance.now();
      await (await fetch(`${url}/health`)).text();
      slowestMs = Math.max(slowestMs, performance.now() - start);
      await delay(50);
    }
  })();
  return {
    async end() {
      ended.abort();
      await watching;
      return slowestMs;
    },
  };
}
