import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { arch } from 'node:process';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { NexusError } from '../../../contract/errors.ts';
import { CommandError, runCommand } from '../../../lib/run-command.ts';
import { basePackages } from './base-packages.ts';
import type { EngineClient } from './engine-client.ts';
import { isDiskFull } from './engine-failure.ts';
import { canonicalImage, type ImageReference } from './image-reference.ts';
import { leftOutPaths } from './provision-script.ts';
import { tarArchive } from './tar-archive.ts';
import { ubuntuArchiveKey } from './ubuntu-archive-key.ts';

const buildTimeoutMs = 20 * 60_000;
const importTimeoutMs = 5 * 60_000;

const mirrors = {
  debian: {
    archive: 'http://deb.debian.org/debian',
    security: 'http://deb.debian.org/debian-security',
    components: 'main',
  },
  ubuntu: {
    archive: 'http://archive.ubuntu.com/ubuntu',
    security: 'http://security.ubuntu.com/ubuntu',
    components: 'main universe',
  },
} as const;

const keyring = 'ubuntu-archive-keyring.gpg';

export type BuildOptions = {
  readonly cacheFolder: string;
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Builds a root file system from the distribution's package mirror and gives it to the engine as an image.
 * Returns the image's fingerprint.
 * @throws image_not_found when no mirror answers, disk_full
 */
export async function buildFromMirror(
  engine: EngineClient,
  image: ImageReference,
  options: BuildOptions,
): Promise<string> {
  await mkdir(options.cacheFolder, { recursive: true });
  await removeAbandoned(options.cacheFolder);
  const folder = await mkdtemp(`${options.cacheFolder}/build-`);
  try {
    // apt reads there as a user of its own.
    await chmod(folder, 0o755);
    await writeFile(`${folder}/${keyring}`, ubuntuArchiveKey());
    const archive = `${folder}/root.tar`;
    options.onProgress(`building ${canonicalImage(image)} from ${mirrors[image.distribution].archive}`);
    await debootstrap(image, { ...options, archive, folder });
    options.onProgress('importing the root file system');
    return await importImage(engine, image, { archive, signal: options.signal });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What builds left behind that were killed: no build takes that long. */
async function removeAbandoned(cacheFolder: string): Promise<void> {
  const names = (await readdir(cacheFolder)).filter((name) => name.startsWith('build-'));
  for (const name of names) {
    const path = `${cacheFolder}/${name}`;
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > 2 * buildTimeoutMs) await rm(path, { recursive: true, force: true });
  }
}

/** Lines for sources.list. */
export function mirrorSources({ distribution, codename }: ImageReference): string[] {
  const { archive, security, components } = mirrors[distribution];
  return [
    `deb ${archive} ${codename} ${components}`,
    `deb ${archive} ${codename}-updates ${components}`,
    `deb ${security} ${codename}-security ${components}`,
  ];
}

async function debootstrap(
  image: ImageReference,
  { archive, folder, onProgress, signal }: BuildOptions & { archive: string; folder: string },
): Promise<void> {
  const command = [
    'mmdebstrap',
    '--mode=root',
    '--variant=minbase',
    '--format=tar',
    '--aptopt=APT::Install-Recommends "false"',
    '--aptopt=Acquire::Retries "2"',
    '--aptopt=Acquire::http::Timeout "20"',
    '--dpkgopt=force-unsafe-io',
    ...leftOutPaths.map((line) => `--dpkgopt=${line}`),
    ...(image.distribution === 'ubuntu' ? [`--keyring=${folder}/${keyring}`] : []),
    `--include=${basePackages.join(',')}`,
    image.codename,
    archive,
    ...mirrorSources(image),
  ];
  try {
    await runCommand(command, {
      timeoutMs: buildTimeoutMs,
      env: { TMPDIR: folder },
      signal,
      onLine: (line) => {
        if (line.startsWith('I: ')) onProgress(line.slice(3));
      },
    });
  } catch (thrown) {
    if (!(thrown instanceof CommandError)) throw thrown;
    signal?.throwIfAborted();
    if (isDiskFull(thrown)) throw new NexusError('disk_full', { where: folder }, { cause: thrown });
    throw new NexusError(
      'image_not_found',
      { image: canonicalImage(image), reason: failureOf(thrown) },
      { cause: thrown },
    );
  }
}

/** The line that names the cause: apt calls some a warning, and what comes after it is a consequence. */
function failureOf({ result, message }: CommandError): string {
  const lines = result.stderr.split('\n');
  const cause = lines.find((line) => /^[EW]: .*(?:Failed to fetch|Could not|GPG error|Unable to)/.test(line));
  return (cause ?? lines.find((line) => /^E: (?!mmdebstrap)/.test(line)))?.slice(3) ?? message;
}

async function importImage(
  engine: EngineClient,
  image: ImageReference,
  { archive, signal }: { archive: string; signal?: AbortSignal | undefined },
): Promise<string> {
  const metadata = `architecture: ${arch === 'arm64' ? 'aarch64' : 'x86_64'}
creation_date: ${Math.floor(Date.now() / 1000)}
properties:
  description: ${canonicalImage(image)} (nexus)
`;
  const boundary = `nexus-${randomUUID()}`;
  const part = (name: string): string =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${name}"\r\nContent-Type: application/octet-stream\r\n\r\n`;
  const metadataArchive = tarArchive([{ name: 'metadata.yaml', content: Buffer.from(metadata) }]);
  async function* body(): AsyncGenerator<Buffer> {
    yield Buffer.concat([Buffer.from(part('metadata')), metadataArchive, Buffer.from(`\r\n${part('rootfs')}`)]);
    yield* createReadStream(archive, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>;
    yield Buffer.from(`\r\n--${boundary}--\r\n`);
  }
  const operation = await engine.upload('/1.0/images', Readable.from(body()), {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    timeoutMs: importTimeoutMs,
    signal,
  });
  const finished = operation && (await engine.waitFor(operation.id, { timeoutMs: importTimeoutMs, signal }));
  return z.object({ fingerprint: z.string() }).parse(finished?.metadata).fingerprint;
}
