import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The program as it runs in development, which is what coverage is measured on; and as it is shipped. */
export const sourceProgram: readonly string[] = [process.execPath, `${root}src/main.ts`];
export const compiledProgram: readonly string[] = [`${root}dist/nexus`];
export const repositoryRoot = root;
