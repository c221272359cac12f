import { execFileSync } from 'node:child_process';

/**
 * The account that this process runs under, by the system's own word: `userInfo` of Bun's runtime believes `$USER`,
 * and says `unknown` where there is none.
 */
export function osUserName(): string {
  return execFileSync('id', ['-un'], { encoding: 'utf8' }).trim();
}
