/** What a gateway keeps on its disk to go on after a kill: the routing table, and where it took streams. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { routingTable, type RoutingTable } from '../contract/control-protocol.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import type { Logger } from '../lib/log.ts';

const gatewayState = z.object({ pid: z.int().positive(), stream_port: z.int().min(1).max(65_535) });
export type GatewayState = z.infer<typeof gatewayState>;

export const emptyTable: RoutingTable = { version: 0, routes: [], stream_keys: {} };

/** Holds keys: it is readable for its owner only, as are the others. */
const ownerOnly = { mode: 0o600 };

export async function loadRoutes(stateDir: string, log: Logger): Promise<RoutingTable> {
  return (await loadFile(join(stateDir, 'routes.json'), routingTable, log)) ?? emptyTable;
}

export async function saveRoutes(stateDir: string, table: RoutingTable): Promise<void> {
  await writeFileAtomic(join(stateDir, 'routes.json'), JSON.stringify(table), ownerOnly);
}

/** Of this gateway's predecessor, or of itself in an earlier life; null on the first start. */
export async function loadGatewayState(stateDir: string, log: Logger): Promise<GatewayState | null> {
  return loadFile(join(stateDir, 'gateway.json'), gatewayState, log);
}

export async function saveGatewayState(stateDir: string, state: GatewayState): Promise<void> {
  await writeFileAtomic(join(stateDir, 'gateway.json'), `${JSON.stringify(state)}\n`, ownerOnly);
}

/** Null when it is not there. A broken file is as good as none: what was in it is sent or made again. */
export async function loadFile<T>(file: string, schema: z.ZodType<T>, log: Logger): Promise<T | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT'))
      log.error({ err: error, file }, 'the file cannot be read');
    return null;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    log.error({ file }, 'the file is broken and left aside');
    return null;
  }
}
