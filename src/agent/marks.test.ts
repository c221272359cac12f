import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noFacts, parseFacts, valuesOf } from './marks.ts';

describe('facts', () => {
  it('are nothing when nothing was done', () => {
    assert.deepEqual(parseFacts([]), noFacts);
  });

  it('are read from their lines', () => {
    const config = {
      source: 'detected',
      services: [],
      lifecycle: {},
      hook_files: [],
      packages: [],
      image: null,
      notes: ['a\tb'],
    };
    const facts = parseFacts([
      'configured\t0123abcd',
      'sshd\tlistens',
      'host_key\tssh-ed25519 AAAA',
      'clone\t0b5649c\tmain',
      'base\t{"image":"debian:12","packages":["jq"]}',
      `config\t${JSON.stringify(config)}`,
      'hook\tcreate',
      'hook\tno-such-hook',
      'hook\tup',
      'unit\tId=nexus-web.service\tActiveState=active',
    ]);
    assert.deepEqual(facts, {
      configured: true,
      sshdListens: true,
      hostKey: 'ssh-ed25519 AAAA',
      clone: { commit: '0b5649c', branch: 'main' },
      base: { image: 'debian:12', packages: ['jq'] },
      config,
      hooksDone: ['create', 'up'],
      units: facts.units,
    });
    assert.equal(facts.units[0]?.name, 'web');
  });

  it('have no branch when HEAD is detached', () => {
    assert.deepEqual(parseFacts(['clone\t0b5649c\t']).clone, { commit: '0b5649c', branch: null });
  });

  it('take a mark that cannot be read for none', () => {
    const facts = parseFacts(['base\t{"image":1}', 'config\t{', 'clone\t']);
    assert.deepEqual([facts.base, facts.config, facts.clone], [null, null, null]);
  });

  it('values are all that follow the key', () => {
    assert.deepEqual(valuesOf(['a\t1\t2', 'b\t3', 'a'], 'a'), [['1', '2'], []]);
  });
});
