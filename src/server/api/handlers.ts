import type { HandlerDeps } from './app-deps.ts';
import { createWorkspaceHandler } from './create-workspace.ts';
import { eventsHandler } from './events.ts';
import { execHandler } from './exec.ts';
import type { Handlers } from './handler.ts';
import { healthHandlers } from './health.ts';
import { installHandlers } from './install.ts';
import { logsHandler } from './logs.ts';
import { nodeHandlers } from './nodes.ts';
import { putSourceHandler } from './put-source.ts';
import { readHandlers } from './read-workspaces.ts';
import { serviceHandlers } from './service-commands.ts';
import { signInHandlers } from './sign-in.ts';
import { userHandlers } from './users.ts';
import { lifecycleHandlers } from './workspace-lifecycle.ts';

export function createHandlers(deps: HandlerDeps): Handlers {
  return {
    ...signInHandlers(deps),
    ...userHandlers(deps),
    ...readHandlers(deps),
    ...lifecycleHandlers(deps),
    ...serviceHandlers(deps),
    ...nodeHandlers(deps),
    ...healthHandlers(deps),
    ...installHandlers(deps),
    createWorkspace: createWorkspaceHandler(deps),
    getLogs: logsHandler(deps),
    getEvents: eventsHandler(deps),
    exec: execHandler(deps),
    putSource: putSourceHandler(deps),
  };
}
