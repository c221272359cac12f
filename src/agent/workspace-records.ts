/**
 * What an instance was asked to be made of, a file each in the agent's folder: of an instance that does not run, the
 * engine only knows the base's name.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import type { BaseMark } from './marks.ts';

export type WorkspaceRecords = {
  /** Null: unknown, e.g. because the agent's folder was lost. */
  read(id: string): Promise<BaseMark | null>;
  write(id: string, base: BaseMark): Promise<void>;
  remove(id: string): Promise<void>;
};

const record = z.object({ image: z.string(), packages: z.array(z.string()) });

export function createWorkspaceRecords(folder: string): WorkspaceRecords {
  const fileOf = (id: string): string => join(folder, `${id}.json`);
  return {
    async read(id) {
      try {
        return record.parse(JSON.parse(await readFile(fileOf(id), 'utf8')));
      } catch {
        return null;
      }
    },
    async write(id, { image, packages }) {
      await writeFileAtomic(fileOf(id), `${JSON.stringify({ image, packages })}\n`, { mode: 0o600 });
    },
    async remove(id) {
      await rm(fileOf(id), { force: true });
    },
  };
}
