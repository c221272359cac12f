/** What this machine needs: programs, keys, the folders that OpenSSH is strict about. */
import { access, constants, stat } from 'node:fs/promises';
import type { CliContext } from '../context.ts';
import { nexusPaths } from '../files/nexus-paths.ts';
import { readOptionalFile } from '../files/read-optional-file.ts';
import { hasInclude } from '../ssh/include-line.ts';
import { runProgram } from '../ssh/run-program.ts';
import { sshKeyPath } from '../ssh/write-ssh-config.ts';
import { shellQuote } from '../terminal/format.ts';
import { broken, ok, warning } from './finding.ts';
import type { Finding } from './finding.ts';

const programs = [
  { name: 'git', args: ['--version'], install: 'sudo apt-get install git' },
  { name: 'ssh', args: ['-V'], install: 'sudo apt-get install openssh-client' },
] as const;

export async function checkClient(context: CliContext): Promise<Finding[]> {
  const [found, permissions, include] = await Promise.all([
    Promise.all(programs.map(checkProgram)),
    checkPermissions(context),
    checkInclude(context),
  ]);
  return [...found, ...permissions, include];
}

async function checkProgram({ name, args, install }: (typeof programs)[number]): Promise<Finding> {
  try {
    const { stdout, stderr } = await runProgram(name, args);
    return ok(name, (stdout || stderr).trim());
  } catch {
    return broken(name, 'is not installed', install);
  }
}

/** OpenSSH refuses a key that others may read, and a configuration that others may write. */
async function checkPermissions(context: CliContext): Promise<Finding[]> {
  const paths = nexusPaths(context.env);
  const keyPath = await sshKeyPath(context);
  const checks = [
    { name: 'SSH folder', path: paths.userSshFolder, forbidden: 0o022, right: '700' },
    { name: 'SSH configuration', path: paths.userSshConfigFile, forbidden: 0o022, right: '600' },
    { name: 'nexus folder', path: paths.home, forbidden: 0o077, right: '700' },
    { name: 'nexus configuration', path: paths.configFile, forbidden: 0o077, right: '600' },
    { name: 'SSH key', path: keyPath?.endsWith('.pub') ? null : keyPath, forbidden: 0o077, right: '600' },
  ];
  const findings = await Promise.all(
    checks.map(async ({ name, path, forbidden, right }) => {
      const mode = path === null ? null : await modeOf(path);
      if (path === null || mode === null) return [];
      if (path === paths.userSshFolder && !(await isWritable(path)))
        return [broken(name, `${path} cannot be written to`, `ls -ld ${shellQuote(path)}`)];
      if ((mode & forbidden) === 0) return [ok(name, path)];
      return [
        broken(
          name,
          `${path} is open to others (mode ${(mode & 0o777).toString(8)})`,
          `chmod ${right} ${shellQuote(path)}`,
        ),
      ];
    }),
  );
  return findings.flat();
}

function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}

function modeOf(path: string): Promise<number | null> {
  return stat(path).then(
    (found) => found.mode,
    () => null,
  );
}

async function checkInclude(context: CliContext): Promise<Finding> {
  const paths = nexusPaths(context.env);
  const text = (await readOptionalFile(paths.userSshConfigFile).catch(() => null)) ?? '';
  return hasInclude(text, paths.sshConfigFile)
    ? ok('ssh nexus-NAME', `${paths.userSshConfigFile} includes ${paths.sshConfigFile}`)
    : warning(
        'ssh nexus-NAME',
        `${paths.userSshConfigFile} does not include ${paths.sshConfigFile}`,
        'nexus ssh config',
      );
}
