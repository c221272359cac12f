import { NexusError } from '../../contract/errors.ts';

export type GuestFile = {
  readonly path: string;
  readonly content: string;
  /** 0o644 when absent. */
  readonly mode?: number;
  /** root when absent. */
  readonly owner?: 'root' | 'dev';
};

/** What the scripts' `install_files` takes on stdin. @throws invalid_request for what a file of text cannot hold */
export function packFiles(files: readonly GuestFile[]): string {
  return files
    .map(({ path, content, mode = 0o644, owner = 'root' }) => {
      if (content.includes('\0')) throw nulIn(path);
      return `${path}\0${mode.toString(8).padStart(4, '0')}\0${owner}\0${content}\0`;
    })
    .join('');
}

function nulIn(path: string): NexusError {
  return new NexusError('invalid_request', { fields: [{ path, problem: 'must not hold a NUL character' }] });
}
