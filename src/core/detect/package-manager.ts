import type { Folder } from './detector.ts';
import type { PackageJson } from './package-json.ts';

export type PackageManager = {
  readonly name: string;
  readonly install: string;
  /** Runs a script of package.json; with Yarn's Plug'n'Play npm cannot. */
  readonly run: string;
};

/** By the lock file. What Debian does not bring is run through npx, in the version that `packageManager` names. */
export function packageManagerOf(folder: Folder, manifest: PackageJson): PackageManager {
  const version = (name: string, otherwise: string): string => {
    const [, named] = new RegExp(`^${name}@(\\d[\\w.-]*)`).exec(manifest.packageManager ?? '') ?? [];
    return named ?? otherwise;
  };
  if (folder.has('pnpm-lock.yaml')) {
    return {
      name: 'pnpm',
      install: `npx --yes pnpm@${version('pnpm', '9')} install --frozen-lockfile`,
      run: 'npm run',
    };
  }
  if (folder.has('yarn.lock')) return yarn(folder, version('yarn', folder.has('.yarnrc.yml') ? '4' : '1'));
  if (folder.has('bun.lock') || folder.has('bun.lockb')) {
    return { name: 'bun', install: `npx --yes bun@${version('bun', '1')} install --frozen-lockfile`, run: 'npm run' };
  }
  const hasLock = folder.has('package-lock.json') || folder.has('npm-shrinkwrap.json');
  return { name: 'npm', install: hasLock ? 'npm ci' : 'npm install', run: 'npm run' };
}

function yarn(folder: Folder, version: string): PackageManager {
  if (version === '1' || version.startsWith('1.')) {
    return { name: 'yarn', install: `npx --yes yarn@${version} install --frozen-lockfile`, run: 'npm run' };
  }
  const command = folder.has(`.yarn/releases/yarn-${version}.cjs`)
    ? `node .yarn/releases/yarn-${version}.cjs`
    : `npx --yes --package=@yarnpkg/cli-dist@${version} yarn`;
  return { name: 'yarn', install: `${command} install --immutable`, run: `${command} run` };
}
