/** The endpoints of nodes and of the server itself. */
import { z } from 'zod';
import { endpoint } from './endpoint.ts';
import { healthView, nodeView, statusView } from './node.ts';
import { nodeName } from './server-config.ts';

const byNode = z.object({ name: z.string() });

export const nodeEndpoints = {
  listNodes: endpoint({
    method: 'GET',
    path: '/nodes',
    access: 'admin',
    status: 200,
    summary: 'The nodes.',
    response: z.object({ nodes: z.array(nodeView) }),
  }),
  getNode: endpoint({
    method: 'GET',
    path: '/nodes/:name',
    access: 'admin',
    status: 200,
    summary: 'A node.',
    params: byNode,
    response: nodeView,
  }),
  /** The token is shown once; the agent joins with it within an hour. */
  createJoinToken: endpoint({
    method: 'POST',
    path: '/nodes',
    access: 'admin',
    status: 201,
    summary: 'A one-time token for a new node.',
    body: z.strictObject({
      name: nodeName,
    }),
    response: z.object({ name: z.string(), join_token: z.string(), expires_at: z.iso.datetime() }),
  }),
  drainNode: endpoint({
    method: 'POST',
    path: '/nodes/:name/drain',
    access: 'admin',
    status: 200,
    summary: 'Give the node no new workspaces.',
    params: byNode,
    body: z.strictObject({}).optional(),
    response: nodeView,
  }),
  resumeNode: endpoint({
    method: 'POST',
    path: '/nodes/:name/resume',
    access: 'admin',
    status: 200,
    summary: 'Give the node new workspaces again.',
    params: byNode,
    body: z.strictObject({}).optional(),
    response: nodeView,
  }),
  removeNode: endpoint({
    method: 'DELETE',
    path: '/nodes/:name',
    access: 'admin',
    status: 204,
    summary: 'Forget a node without workspaces.',
    params: byNode,
    response: null,
  }),
  getHealth: endpoint({
    method: 'GET',
    path: '/health',
    rootAliases: ['/health'],
    access: 'anyone',
    status: 200,
    summary: 'Is the server well?',
    response: healthView,
  }),
  getStatus: endpoint({
    method: 'GET',
    path: '/status',
    access: 'admin',
    status: 200,
    summary: 'The whole state of the server.',
    response: statusView,
  }),
} as const;
