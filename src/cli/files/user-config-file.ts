/**
 * `~/.nexus/config.yaml`: read leniently, changed key by key with the person's comments kept, written whole or not at
 * all. A file that cannot be understood is put aside under another name, never overwritten.
 */
import { chmod, mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { userConfig } from '../../contract/user-config.ts';
import type { UserConfig } from '../../contract/user-config.ts';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import type { Output } from '../terminal/output.ts';
import { readOptionalFile } from './read-optional-file.ts';

/** The person's settings; `{}` when there are none, or none that can be read: then the file is kept aside, and named. */
export async function readUserConfig(file: string, options: { stderr: Output; nowMs: number }): Promise<UserConfig> {
  const text = await readOptionalFile(file);
  if (text === null) return {};
  const { readYaml } = await import('../../core/config/read-yaml.ts');
  let problem: string;
  try {
    const parsed = userConfig.safeParse(readYaml(text, file).data ?? {});
    if (parsed.success) return parsed.data;
    problem = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'it'}: ${issue.message}`).join('; ');
  } catch (error) {
    problem = ((error as Error).message.split('\n')[0] ?? '').replace(/:$/, '');
  }
  const aside = `${file}.unreadable-${options.nowMs}`;
  await rename(file, aside);
  options.stderr.write(`! ${file} cannot be read (${problem}); it is kept as ${aside}\n`);
  return {};
}

/** Sets one key, e.g. `['ssh', 'key_path']`; everything else in the file stays as it is. */
export async function setUserConfigValue(
  file: string,
  path: readonly string[],
  value: string | number | boolean,
): Promise<void> {
  const { parseDocument } = await import('yaml');
  const document = parseDocument((await readOptionalFile(file)) ?? '');
  document.setIn(path, value);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await chmod(dirname(file), 0o700);
  await writeFileAtomic(file, document.toString(), { mode: 0o600 });
}
