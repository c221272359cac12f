import { failure } from '../cli-error.ts';

/** @throws CliError unless this process may change the machine */
export function requireRoot(command: string, uid: number | undefined = process.getuid?.()): void {
  if (uid === 0) return;
  throw failure('This needs root.', { next: `sudo ${command}` });
}
