/**
 * What the scripts inside a workspace say of it: lines of a key and values, separated by tabs. The marks behind them
 * are files of the instance, so that they share its fate: those in /var/lib/nexus live as long as it does, those in
 * /run/nexus until it stops.
 */
import { z } from 'zod';
import { hookName, resolvedConfig, type HookName, type ResolvedConfig } from '../contract/service-spec.ts';
import { parseUnit, type UnitState } from './services/unit-state.ts';

export type GuestFacts = {
  /** The files of the last `configure` were put into place in this boot. */
  readonly configured: boolean;
  readonly sshdListens: boolean;
  readonly hostKey: string | null;
  readonly clone: { readonly commit: string; readonly branch: string | null } | null;
  readonly base: BaseMark | null;
  readonly config: ResolvedConfig | null;
  readonly hooksDone: readonly HookName[];
  readonly units: readonly UnitState[];
};

/** What the instance's base was asked to be made of. */
export type BaseMark = { readonly image: string; readonly packages: readonly string[] };
const baseMark = z.object({ image: z.string(), packages: z.array(z.string()) });

/** The facts of an instance that was never started. */
export const noFacts: GuestFacts = {
  configured: false,
  sshdListens: false,
  hostKey: null,
  clone: null,
  base: null,
  config: null,
  hooksDone: [],
  units: [],
};

export function parseFacts(lines: readonly string[]): GuestFacts {
  const values = (key: string): string[][] => valuesOf(lines, key);
  const first = (key: string): string | undefined => values(key)[0]?.join('\t');
  const [clone] = values('clone');
  return {
    configured: first('configured') !== undefined,
    sshdListens: first('sshd') !== undefined,
    hostKey: first('host_key') ?? null,
    clone: clone?.[0] ? { commit: clone[0], branch: clone[1] || null } : null,
    base: parseJson(baseMark, first('base')),
    config: parseJson(resolvedConfig, first('config')),
    hooksDone: values('hook').flatMap(([name]) => hookName.safeParse(name).data ?? []),
    units: values('unit').map(parseUnit),
  };
}

/** The values of each line with this key. */
export function valuesOf(lines: readonly string[], key: string): string[][] {
  return lines.map((line) => line.split('\t')).flatMap(([name, ...values]) => (name === key ? [values] : []));
}

/** A mark that cannot be read (an older agent's, or edited) is as good as none: its step is done anew. */
function parseJson<T>(schema: z.ZodType<T>, text: string | undefined): T | null {
  if (text === undefined) return null;
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
