import { failure } from '../cli-error.ts';

/** @throws CliError unless this process may change the machine */
export function requireRoot(command: string): void {
  if (process.getuid?.() === 0) return;
  throw failure('This needs root.', { next: `sudo ${command}` });
}
