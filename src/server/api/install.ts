/** How others get the program: the install script with this server filled in, and what it downloads. */
import { readFileSync } from 'node:fs';
import type { FastifyRequest } from 'fastify';
import { NexusError } from '../../contract/errors.ts';
import { platformOfProgram, platforms } from '../../contract/platform.ts';
import type { AppDeps } from './app-deps.ts';
import type { Handlers } from './handler.ts';
import { fillInstallScript, serverAddress } from './install-script.ts';
import { createProgramFiles } from './program-files.ts';

const template = readFileSync(new URL('./assets/install.sh', import.meta.url), 'utf8');

type Deps = Pick<AppDeps, 'config' | 'ownProgram'>;

export function installHandlers({ config, ownProgram }: Deps): Pick<Handlers, 'getInstallScript' | 'getDownload'> {
  const ownPlatform = `${process.platform}-${process.arch}`;
  const programs = createProgramFiles({ dataDir: config.data_dir, ownProgram, ownPlatform });
  return {
    async getInstallScript({ request, reply }) {
      const checksums: Record<string, string> = {};
      for (const platform of platforms) checksums[platform] = (await programs.describe(platform))?.sha256 ?? '';
      // It holds what this very request told of the server's address.
      void reply.header('cache-control', 'no-store').type('text/x-shellscript; charset=utf-8');
      void reply.send(fillInstallScript(template, addressFor(request, config.public_host), checksums));
    },
    async getDownload({ params, request, reply }) {
      const platform = platformOfProgram(params.file);
      const program = platform === undefined ? null : await programs.read(platform);
      if (program === null) throw new NexusError('not_found', { kind: 'program', name: params.file });
      const etag = `"${program.sha256}"`;
      void reply.header('etag', etag).header('cache-control', 'no-cache');
      if (request.headers['if-none-match'] === etag) {
        program.content.destroy();
        void reply.code(304).send();
        return;
      }
      void reply.header('content-length', program.sizeBytes).type('application/octet-stream').send(program.content);
    },
  };
}

function addressFor({ headers, protocol, raw }: FastifyRequest, publicHost: string): URL {
  // A proxy that speaks TLS for this server says so.
  const isHttps = protocol === 'https' || headers['x-forwarded-proto'] === 'https';
  return serverAddress({
    scheme: isHttps ? 'https' : 'http',
    askedHost: headers.host,
    publicHost,
    port: raw.socket.localPort ?? 0,
  });
}
