// Bun's runtime, which the shipped file is made of, would turn our child processes into plain `bun` with it.
delete process.env['BUN_BE_BUN'];

if (process.argv[2] === '--version') {
  const { version } = await import('./lib/version.ts');
  process.stdout.write(`nexus ${version}\n`);
} else {
  process.stderr.write('nexus: only --version is here yet\n');
  process.exitCode = 2;
}
