// Compiles Nexus into one file per platform with Bun. Each target's Bun is the npm package that package-lock.json
// pins: this machine's is installed, another platform's is fetched with npm when it is asked for and checked against the lock.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const bunPackages = {
  'linux-x64': '@oven/bun-linux-x64',
  'linux-arm64': '@oven/bun-linux-aarch64',
  'darwin-x64': '@oven/bun-darwin-x64',
  'darwin-arm64': '@oven/bun-darwin-aarch64',
} as const;
type Platform = keyof typeof bunPackages;

const root = join(import.meta.dirname, '..');
const hostPlatform = `${process.platform}-${process.arch}`;

function isPlatform(name: string): name is Platform {
  return Object.hasOwn(bunPackages, name);
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

/** The release and the last commit that touched what goes into the binary: equal sources give an equal version. */
function versionStamp(): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const inputs = ['src', 'package.json', 'package-lock.json', 'scripts/build.ts'];
  try {
    const commit = git('log', '-1', '--format=%h', '--abbrev=10', '--', ...inputs);
    const changed = git('status', '--porcelain', '--', ...inputs) !== '';
    return `${version}+${commit || 'uncommitted'}${changed ? '.changed' : ''}`;
  } catch {
    return version; // a source archive has no git history
  }
}

/**
 * The folders named `assets` under src. Bun puts their files together into one `assets` beside the bundled module,
 * so that `new URL('./assets/NAME', import.meta.url)` finds them as it does in the sources; hence names must differ.
 */
function assetFolders(): string[] {
  const files = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true });
  const assets = files.filter((entry) => entry.isFile() && basename(entry.parentPath) === 'assets');
  const names = new Map<string, string>();
  for (const asset of assets) {
    const other = names.get(asset.name);
    if (other) throw new Error(`two assets are named ${asset.name}: in ${other} and in ${asset.parentPath}`);
    names.set(asset.name, asset.parentPath);
  }
  return [...new Set(names.values())];
}

function runtimeOf(platform: Platform): string {
  const name = bunPackages[platform];
  const installed = join(root, 'node_modules', name, 'bin/bun');
  return existsSync(installed) ? installed : fetchRuntime(name);
}

function fetchRuntime(name: string): string {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; integrity: string } | undefined>;
  };
  const pinned = lock.packages[`node_modules/${name}`];
  if (!pinned) throw new Error(`package-lock.json does not name ${name}`);
  const folder = join(root, '.cache', `${basename(name)}-${pinned.version}`);
  const runtime = join(folder, 'package/bin/bun');
  if (existsSync(runtime)) return runtime;

  mkdirSync(folder, { recursive: true });
  const packed = execFileSync('npm', ['pack', `${name}@${pinned.version}`, '--json', '--pack-destination', folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename } = { filename: '' }] = JSON.parse(packed) as { filename: string }[];
  const archive = join(folder, basename(filename));
  const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (integrity !== pinned.integrity) throw new Error(`${name} is not what package-lock.json pins: ${integrity}`);
  execFileSync('tar', ['-xzf', archive, '-C', folder]);
  rmSync(archive);
  return runtime;
}

function build(platform: Platform, output: string): void {
  // A running nexus may hold the old file, so the new one is made beside it and takes its place.
  const unfinished = join(dirname(output), '.unfinished', basename(output));
  mkdirSync(dirname(unfinished), { recursive: true });
  execFileSync(
    runtimeOf(hostPlatform as Platform),
    [
      'build',
      join(root, 'src/main.ts'),
      '--compile',
      '--bytecode',
      '--format=esm',
      // A dynamic import is a file of its own in the binary: a command and a role read no more than they use.
      '--splitting',
      '--minify-syntax',
      `--target=bun-${platform}`,
      `--compile-executable-path=${runtimeOf(platform)}`,
      '--no-compile-autoload-dotenv',
      '--no-compile-autoload-bunfig',
      '--reject-unresolved',
      `--define=NEXUS_VERSION=${JSON.stringify(versionStamp())}`,
      ...assetFolders().map((folder) => `--asset=${folder}`),
      `--outfile=${unfinished}`,
    ],
    { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  renameSync(unfinished, output);
  console.log(`built ${output}`);
}

const [wanted] = process.argv.slice(2);
if (!isPlatform(hostPlatform)) {
  console.error(`Nexus cannot be built on ${hostPlatform}; it can on ${Object.keys(bunPackages).join(', ')}`);
  process.exitCode = 1;
} else if (wanted === '--all') {
  for (const platform of Object.keys(bunPackages).filter(isPlatform)) build(platform, `dist/nexus-${platform}`);
} else {
  build(hostPlatform, 'dist/nexus');
}
