/** Lines of the journal of a workspace: which are asked for, and what they look like. */
import { z } from 'zod';
import { logPlace, placePrefix } from '../../contract/log-place.ts';
import { hookUnit, isJobUnit } from '../guest/job-unit.ts';
import { serviceUnit, syslogFacility } from '../services/service-files.ts';

/** systemd's own message about a process that died (SD_MESSAGE_UNIT_PROCESS_EXIT of sd-messages.h). */
const processExit = '98e322203f7a4ed290d09fe03c09fe15';

/**
 * The arguments of journalctl: the output of a service or a hook and what systemd says of a service's deaths; without a
 * source that of all of them.
 */
export function journalArguments(request: {
  source?: string | undefined;
  lines: number;
  follow: boolean;
  after?: string | undefined;
}): string[] {
  const { source, lines, follow, after } = request;
  const shown = [
    '--quiet',
    '--output',
    'json',
    '--output-fields',
    'MESSAGE,_SYSTEMD_UNIT,UNIT',
    ...(after === undefined ? ['--lines', String(lines)] : ['--lines', 'all', '--after-cursor', after]),
  ];
  const died = ['_PID=1', `MESSAGE_ID=${processExit}`];
  const matches =
    source === undefined
      ? [`SYSLOG_FACILITY=${syslogFacility.number}`, '+', ...died]
      : [
          `_SYSTEMD_UNIT=${serviceUnit(source)}`,
          '+',
          `_SYSTEMD_UNIT=${hookUnit(source)}`,
          '+',
          ...died,
          `UNIT=${serviceUnit(source)}`,
        ];
  return [...shown, ...(follow ? ['--follow'] : []), ...matches];
}

const bytes = z.array(z.int().min(0).max(255));
const entry = z.object({
  MESSAGE: z.union([z.string(), bytes, z.null()]).optional(),
  _SYSTEMD_UNIT: z.string().optional(),
  UNIT: z.string().optional(),
  __CURSOR: logPlace.optional().catch(undefined),
});

/** An entry as journalctl prints it as JSON, as the line to show; null for what is not ours. */
export function formatEntry(json: string, options: { named: boolean; placed: boolean }): Buffer | null {
  const parsed = entry.safeParse(parseJson(json)).data;
  const unit = parsed?.UNIT ?? parsed?._SYSTEMD_UNIT ?? '';
  const source = sourceOf(unit);
  // A job that fails says why by itself, and its exit code is in the error: systemd has nothing to add.
  if (!parsed || source === null || (parsed.UNIT !== undefined && isJobUnit(unit))) return null;
  const { MESSAGE: message = null } = parsed;
  // What is not plain text, colours for instance, comes as numbers.
  const text = typeof message === 'string' ? Buffer.from(message) : Buffer.from(message ?? []);
  const place = options.placed && parsed.__CURSOR !== undefined ? placePrefix(parsed.__CURSOR) : '';
  return Buffer.concat([Buffer.from(place + (options.named ? `${source} | ` : '')), text, Buffer.from('\n')]);
}

/** `nexus-web.service` → `web`, `nexus.hook-up.service` → `up`, `nexus.clone.service` → `clone`. */
function sourceOf(unit: string): string | null {
  return /^nexus(?:-|\.hook-|\.)(.+)\.service$/.exec(unit)?.[1] ?? null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
