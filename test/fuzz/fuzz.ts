/** One run: a tenth of the requests without any node, the rest with one whose engine is a few lines. */
import { setTimeout as delay } from 'node:timers/promises';
import { readApiDocument } from './api-document.ts';
import { listWorkspaces, runCampaign, type CampaignReport, type Failure } from './campaign.ts';
import { secretMark } from './hostile-values.ts';
import { createJudge } from './judge-answer.ts';
import { holdSlowClients } from './slow-clients.ts';
import { runSocketRounds } from './socket-rounds.ts';
import { startServer, type Footprint, type ServerUnderTest } from './server-under-test.ts';

export type FuzzResult = CampaignReport & {
  readonly seed: number;
  /** Of the server when nothing is asked any more. */
  readonly atRest: Footprint;
  /** Lines of the server's log, at its most talkative, that hold the token or anything marked as a secret. */
  readonly leaks: readonly string[];
};

export type FuzzOptions = {
  readonly program: readonly string[];
  readonly seed: number;
  readonly requests: number;
  readonly from?: number;
  /** Also clients that begin a request and do not go on: it takes as long as the server's longest patience. */
  readonly hasSlowClients?: boolean;
  readonly onProgress?: (text: string) => void;
};

/** That no node is there explains these; with one, that there is no gateway and that its places are taken. */
const withoutNode = new Set(['no_available_nodes', 'node_unreachable']);
const withNode = new Set([
  ...withoutNode,
  'insufficient_node_resources',
  'port_pool_exhausted',
  'provider_unavailable',
  'stream_failed',
  'instance_lost',
]);

/** Of idle connections Node.js has the longest, 72 s with what Fastify sets. */
const patienceMs = 120_000;
const requestsASocket = 100;

export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { seed, requests, from = 0, onProgress = () => undefined } = options;
  await using server = await startServer(options.program);
  const slow = options.hasSlowClients ? await holdSlowClients(server.port, server.token) : null;
  const alone = from === 0 ? Math.ceil(requests / 10) : 0;
  const common = { server, seed };
  const first = await runCampaign({ ...common, requests: alone, from, unavailable: withoutNode });
  onProgress(`${alone} without a node`);
  await using node = await keepNode(server);
  const second = await runCampaign({
    ...common,
    requests: requests - alone,
    from: from + alone,
    unavailable: withNode,
    betweenRounds: () => node.ensure(),
    onProgress: (done) => {
      if (done % 10_000 === 0) onProgress(`${alone + done}`);
    },
  });
  const failures = [
    ...first.failures,
    ...second.failures,
    ...(await socketFailures(server, seed, Math.ceil(requests / requestsASocket))),
    ...((await slow?.ended(patienceMs)) ?? []).map((kind) => otherFailure('a connection is held for ever', kind)),
  ];
  onProgress('sockets and slow clients');
  const atRest = await footprintAtRest(server);
  const leaks = await server.logLinesWith([server.token, secretMark]);
  failures.push(...keptFailures(first.footprints[0] ?? atRest, atRest));
  return { ...joined(first, second), failures, seed, atRest, leaks };
}

async function socketFailures(server: ServerUnderTest, seed: number, rounds: number): Promise<Failure[]> {
  const document = await readApiDocument(server.url);
  const judge = createJudge(document, withNode);
  const known = { token: server.token, workspaces: await listWorkspaces(server) };
  const problems = await runSocketRounds(document, judge, { seed, rounds, port: server.port, known });
  return problems.map((what) => otherFailure(what, 'a WebSocket'));
}

/** The scripted node's connection, and what the database opened meanwhile. */
const moreHandles = 8;
const mostRssBytes = 400 * 2 ** 20;

function keptFailures(start: Footprint, atRest: Footprint): Failure[] {
  const { handles, rssBytes } = atRest;
  return [
    ...(handles > start.handles + moreHandles
      ? [otherFailure('handles are kept', `${start.handles} → ${handles}`)]
      : []),
    ...(rssBytes > mostRssBytes ? [otherFailure('memory is kept', `${start.rssBytes} → ${rssBytes} bytes`)] : []),
  ];
}

function otherFailure(what: string, request: string): Failure {
  return { index: null, what, request };
}

/** One of the requests may remove it. */
async function keepNode(server: ServerUnderTest): Promise<AsyncDisposable & { ensure(): Promise<void> }> {
  let node = await server.addScriptedNode();
  const headers = { authorization: `Bearer ${server.token}` };
  return {
    async ensure() {
      const resumed = await fetch(`${server.url}/api/v1/nodes/node-1/resume`, { method: 'POST', headers });
      await resumed.text();
      if (resumed.status !== 404) return;
      await node[Symbol.asyncDispose]();
      node = await server.addScriptedNode();
    },
    [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
  };
}

const restMs = 5_000;

/** Connections that were cut are closed by then. */
async function footprintAtRest(server: ServerUnderTest): Promise<Footprint> {
  await delay(restMs);
  return server.footprint();
}

function joined(first: CampaignReport, second: CampaignReport): Omit<CampaignReport, 'failures'> {
  const answersByStatus = new Map(first.answersByStatus);
  for (const [status, times] of second.answersByStatus)
    answersByStatus.set(status, (answersByStatus.get(status) ?? 0) + times);
  return {
    requests: first.requests + second.requests,
    answersByStatus,
    footprints: [...first.footprints, ...second.footprints],
    slowest: [...first.slowest, ...second.slowest].sort((a, b) => b.milliseconds - a.milliseconds).slice(0, 5),
    slowestHealthMs: Math.max(first.slowestHealthMs, second.slowestHealthMs),
  };
}

export function summary(result: FuzzResult): string {
  const statuses = [...result.answersByStatus].sort(([a], [b]) => (a < b ? -1 : 1));
  const size = ({ rssBytes, handles }: Footprint): string =>
    `${Math.round(rssBytes / 2 ** 20)} MiB, ${handles} handles`;
  return [
    `${result.requests} requests, seed ${result.seed}: ${result.failures.length} wrong answers, ${result.leaks.length} secrets in the log`,
    `answers: ${statuses.map(([status, times]) => `${status}: ${times}`).join(', ')}`,
    `server process: ${result.footprints.map(size).join(' → ')}; at rest ${size(result.atRest)}`,
    `slowest GET /health meanwhile: ${Math.round(result.slowestHealthMs)} ms`,
    ...result.slowest.map(({ milliseconds, request }) => `${Math.round(milliseconds)} ms: ${request.slice(0, 160)}`),
  ].join('\n');
}
