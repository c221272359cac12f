import assert from 'node:assert/strict';
import { it } from 'node:test';
import { execa } from 'execa';
import { basePackages, isPackageName } from './base-packages.ts';
import { baseName, canonicalSpec, unfinishedName } from './base-spec.ts';
import { npmScript, packagesScript, provisionScript, sealScript } from './provision-script.ts';

const nameOf = (image: string, ...packages: string[]): string => baseName(canonicalSpec({ image, packages }));

it('names a base by what it is made of, in whatever order', () => {
  assert.match(nameOf('debian:12'), /^base-[0-9a-f]{12}$/);
  assert.equal(nameOf('debian:12', 'redis', 'git', 'git'), nameOf('images:debian/12', 'git', 'redis'));
  assert.notEqual(nameOf('debian:12'), nameOf('debian:12', 'git'));
  assert.notEqual(nameOf('debian:12'), nameOf('ubuntu:22.04'));
  assert.notEqual(nameOf('unknown:1'), nameOf('unknown:2'));
});

it('names it otherwise while it is made', () => {
  assert.match(unfinishedName(canonicalSpec({ image: 'debian:12', packages: [] })), /^unfinished-[0-9a-f]{12}$/);
});

it('knows the name of a package from everything else', () => {
  for (const name of [...basePackages, 'nodejs=18.13.0+dfsg1-1', 'libc6:arm64', 'git/bookworm-backports', 'g++'])
    assert.ok(isPackageName(name), name);
  for (const name of ['', '-y', '--force', 'a b', "a'b", 'a;b', 'A', '$(x)', '../x', 'x'])
    assert.ok(!isPackageName(name), name);
});

it('is made by scripts that a shell understands', async () => {
  for (const input of [provisionScript(), npmScript, packagesScript(['postgresql', 'redis-server']), sealScript])
    await execa('sh', ['-n'], { input });
});
