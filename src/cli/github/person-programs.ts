/** The browser and the clipboard of whoever sits at this machine. */
import { spawn } from 'node:child_process';
import type { CliContext } from '../context.ts';

/** @returns whether a browser was opened, as far as it can be known */
export function openBrowser(context: CliContext, url: string): Promise<boolean> {
  return hasWorked(context, browserOf(context, url), null);
}

/** @returns whether it is in the clipboard */
export function copyText(context: CliContext, text: string): Promise<boolean> {
  return hasWorked(context, clipboardOf(context), text);
}

type Program = readonly [file: string, ...args: string[]];

/** The one that the person names comes first. */
function browserOf({ env }: CliContext, url: string): Program | null {
  // It may have arguments of its own.
  if (env['BROWSER']) return ['sh', '-c', 'exec $BROWSER "$1"', 'sh', url];
  if (process.platform === 'darwin') return ['open', url];
  return env['DISPLAY'] || env['WAYLAND_DISPLAY'] ? ['xdg-open', url] : null;
}

function clipboardOf({ env }: CliContext): Program | null {
  if (process.platform === 'darwin') return ['pbcopy'];
  if (env['WAYLAND_DISPLAY']) return ['wl-copy'];
  return env['DISPLAY'] ? ['xclip', '-selection', 'clipboard'] : null;
}

/** A browser may stay for as long as it is open; what fails, fails at once. */
const failsWithinMs = 700;

/** @returns whether there was a program, and it did not fail */
async function hasWorked({ env }: CliContext, program: Program | null, input: string | null): Promise<boolean> {
  if (program === null) return false;
  const [file, ...args] = program;
  const child = spawn(file, args, { env: { ...env }, stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  child.unref();
  return new Promise((resolve) => {
    const patience = setTimeout(resolve, failsWithinMs, true);
    child.once('error', () => resolve(false));
    child.once('exit', (code) => {
      clearTimeout(patience);
      resolve(code === 0);
    });
  });
}
