import { z } from 'zod';
import type { Folder } from './detector.ts';

const names = z.record(z.string(), z.string()).catch({});

/** What is used of a package.json; a part that is not as npm wants it is taken as absent. */
const schema = z.object({
  name: z.string().optional().catch(undefined),
  main: z.string().optional().catch(undefined),
  packageManager: z.string().optional().catch(undefined),
  scripts: names.default({}),
  dependencies: names.default({}),
  devDependencies: names.default({}),
  workspaces: z
    .union([z.array(z.string()), z.object({ packages: z.array(z.string()) }).transform(({ packages }) => packages)])
    .optional()
    .catch(undefined),
});
export type PackageJson = z.infer<typeof schema>;

export function readPackageJson(folder: Folder): PackageJson | undefined {
  const text = folder.read('package.json');
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
