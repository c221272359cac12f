import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { createLab, noEngine, type Lab, type LabCommand } from '../support/agent-lab.ts';

type CloneCommand = Extract<LabCommand, { do: 'clone' }>;

/** Repositories in the workspace itself, for it can reach nothing of the host. */
const repositories = `
set -e
export HOME=/root
git config --global user.name Test; git config --global user.email test@example.com; git config --global init.defaultBranch main
git config --global protocol.file.allow always; git config --global safe.directory '*'
mkdir -p /srv && cd /srv
git init -q lib && (cd lib; echo lib > lib; git add .; git commit -qm lib)
git init -q full && cd full
echo one > one; git add .; git commit -qm one; git tag v1
git branch feature/x; echo two > two; git add .; git commit -qm two
git checkout -q --detach; echo hidden > hidden; git add .; git commit -qm hidden; git update-ref refs/pull/1/head HEAD; git checkout -q main
cd /srv
git init -q empty
git clone -q full parent && (cd parent; git submodule --quiet add file:///srv/lib deps/lib; git commit -qm submodule)
git clone -q full broken && (cd broken; git submodule --quiet add file:///srv/lib gone; git config -f .gitmodules submodule.gone.url file:///srv/nowhere; git commit -qam broken)
git config --system protocol.file.allow always
chown -R dev: /srv
`;

/** Servers that hang, or ask for a password. */
const servers = `
systemd-run --quiet --unit asks python3 -c '
import http.server
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        code = 401 if self.path.startswith("/private") else 403 if self.path.startswith("/forbidden") else 404
        self.send_response(code)
        self.send_header("WWW-Authenticate", "Basic realm=x")
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", 8401), H).serve_forever()'
systemd-run --quiet --unit hangs python3 -c '
import socket
s = socket.create_server(("127.0.0.1", 8402))
held = []
while True: held.append(s.accept())'
systemd-run --quiet --unit daemon --setenv HOME=/root git daemon --reuseaddr --export-all --base-path=/srv --listen=127.0.0.1
`;

describe('clone', { skip: noEngine }, () => {
  let lab: Lab;
  before(async () => {
    lab = await createLab();
    const made = await lab.shell(repositories);
    assert.equal(made.exitCode, 0, made.stderr);
    assert.equal((await lab.shell(servers)).exitCode, 0);
  });
  after(() => lab[Symbol.asyncDispose]());
  afterEach(() =>
    lab.shell('rm -rf /home/dev/workspace /home/dev/.nexus-clone /var/lib/nexus/clone /var/lib/nexus/source.bundle'),
  );

  function clone(url: string, more: Partial<CloneCommand> = {}) {
    return lab.run({ do: 'clone', url, ref: null, upload: false, upstream_url: null, ...more });
  }
  async function inRepository(script: string): Promise<string> {
    const { stdout, stderr } = await lab.shell(`cd /home/dev/workspace && sudo -u dev sh -c '${script}'`);
    return `${stdout}${stderr}`;
  }

  const refs: readonly { ref: string | null; branch: string | null; files: string }[] = [
    { ref: null, branch: 'main', files: 'one two' },
    { ref: 'main', branch: 'main', files: 'one two' },
    { ref: 'feature/x', branch: 'feature/x', files: 'one' },
    { ref: 'refs/heads/feature/x', branch: 'feature/x', files: 'one' },
    { ref: 'v1', branch: null, files: 'one' },
    { ref: 'refs/pull/1/head', branch: null, files: 'hidden one two' },
  ];
  for (const { ref, branch, files } of refs) {
    it(`of ${ref ?? 'the default branch'}`, async () => {
      const seen = await clone('file:///srv/full', { ref });
      assert.equal(seen.clone?.branch, branch);
      assert.equal((await inRepository('git rev-parse HEAD')).trim(), seen.clone?.commit);
      assert.equal((await inRepository('echo *')).trim(), files);
      assert.equal((await inRepository('git status --porcelain')).trim(), '');
    });
  }

  it('of a commit, also of a short one', async () => {
    const commit = (await lab.shell('cd /srv/full && git rev-parse v1')).stdout;
    assert.deepEqual((await clone('git://127.0.0.1/full', { ref: commit })).clone, { commit, branch: null });
    await lab.shell('rm -rf /home/dev/workspace /var/lib/nexus/clone');
    assert.equal((await clone('file:///srv/full', { ref: commit.slice(0, 8) })).clone?.commit, commit);
  });

  it('sets the remotes, belongs to dev, and brings submodules', async () => {
    await clone('file:///srv/parent', { upstream_url: 'file:///srv/full' });
    const remotes = await inRepository(
      'git remote get-url origin; git remote get-url upstream; stat -c %U . one deps/lib/lib',
    );
    assert.deepEqual(remotes.trim().split('\n'), ['file:///srv/parent', 'file:///srv/full', 'dev', 'dev', 'dev']);
  });

  it('of a fork follows the original, and pushes to the fork', async () => {
    await clone('file:///srv/full', { upstream_url: 'file:///srv/parent' });
    const said = await inRepository('git rev-parse --abbrev-ref @{upstream} @{push}; git config remote.pushDefault');
    assert.deepEqual(said.trim().split('\n'), ['upstream/main', 'origin/main', 'origin']);
  });

  it('of a fork whose original cannot be had is there all the same', async () => {
    const seen = await clone('file:///srv/full', { upstream_url: 'file:///srv/nowhere' });
    assert.equal(seen.clone?.branch, 'main');
    const said = await inRepository('git remote get-url upstream; git rev-parse --abbrev-ref @{upstream}');
    assert.deepEqual(said.trim().split('\n'), ['file:///srv/nowhere', 'origin/main']);
  });

  it('of a repository without commits', async () => {
    const seen = await clone('file:///srv/empty');
    assert.deepEqual(seen.clone, { commit: '0'.repeat(40), branch: 'main' });
  });

  it('leaves a repository that is there as it is', async () => {
    await clone('file:///srv/full');
    await inRepository('echo mine > one; git checkout -q -b mine');
    const again = await clone('file:///srv/full', { ref: 'v1' });
    assert.equal(again.clone?.branch, 'main');
    await lab.shell('rm /var/lib/nexus/clone');
    assert.equal((await clone('file:///srv/full')).clone?.branch, 'mine');
    assert.equal((await inRepository('cat one')).trim(), 'mine');
  });

  it('does not touch other files', async () => {
    await lab.shell('mkdir /home/dev/workspace; touch /home/dev/workspace/precious');
    await assert.rejects(clone('file:///srv/full'), /is there and holds other files/);
    assert.equal((await lab.shell('ls /home/dev/workspace')).stdout, 'precious');
  });

  const failures: readonly { name: string; url: string; ref?: string; reason: RegExp }[] = [
    { name: 'no such repository', url: 'file:///srv/nowhere', reason: /no such repository/ },
    { name: 'no such repository of a daemon', url: 'git://127.0.0.1/nowhere', reason: /no such repository/ },
    { name: 'no such repository over HTTP', url: 'http://127.0.0.1:8401/x.git', reason: /no such repository/ },
    { name: 'an unknown branch', url: 'file:///srv/full', ref: 'nope', reason: /it has no branch, tag or commit nope/ },
    {
      name: 'an unknown commit',
      url: 'file:///srv/full',
      ref: 'deadbeefdeadbeef',
      reason: /no branch, tag or commit deadbeef/,
    },
    {
      name: 'one that asks for a password',
      url: 'http://127.0.0.1:8401/private.git',
      reason: /asks for a user name and a password/,
    },
    { name: 'a forbidden one', url: 'http://127.0.0.1:8401/forbidden.git', reason: /forbidden/ },
    {
      name: 'wrong credentials, which are not shown',
      url: 'http://me:hunter2@127.0.0.1:8401/private.git',
      reason: /asks for a user name/,
    },
    { name: 'an SSH server that wants a key', url: 'git@127.0.0.1:x/y.git', reason: /did not accept any key/ },
    { name: 'a refused connection', url: 'https://127.0.0.1:9/x.git', reason: /refuses the connection/ },
    { name: 'an unknown host', url: 'https://nowhere.invalid/x.git', reason: /there is no host nowhere\.invalid/ },
    { name: 'a host without TLS', url: 'https://127.0.0.1:8401/x.git', reason: /TLS/ },
    { name: 'an unknown protocol', url: 'gopher://127.0.0.1/x', reason: /does not speak the protocol/ },
    { name: 'a command in place of a URL', url: 'ext::sh -c touch% /tmp/pwned', reason: /does not speak the protocol/ },
    { name: 'a submodule that is gone', url: 'file:///srv/broken', reason: /submodule/ },
    { name: 'a host that never answers', url: 'http://127.0.0.1:8402/x.git', reason: /no answer in 20 s/ },
    {
      name: 'an SSH host that never answers',
      url: 'ssh://git@127.0.0.1:8402/x.git',
      reason: /does not answer|no answer|connection/,
    },
  ];
  for (const { name, url, ref = null, reason } of failures) {
    it(`fails for ${name}, with the reason`, async () => {
      const startedAt = Date.now();
      await assert.rejects(
        clone(url, { ref }),
        (error: { code: string; message: string; details: { reason: string } }) => {
          assert.equal(error.code, 'clone_failed');
          assert.match(error.details.reason, reason);
          assert.doesNotMatch(JSON.stringify(error), /hunter2/);
          return true;
        },
      );
      assert.ok(Date.now() - startedAt < 30_000, 'within 30 s');
      const left = await lab.shell('ls -d /home/dev/workspace /tmp/pwned; pgrep -u dev -a git');
      assert.equal(left.stdout, '');
    });
  }

  it('works after one that failed', async () => {
    await assert.rejects(clone('file:///srv/nowhere'));
    assert.equal((await clone('file:///srv/full')).clone?.branch, 'main');
  });

  describe('of a bundle', () => {
    const bundleOf = (script: string) =>
      lab.shell(
        `set -e; rm -rf /tmp/local; git clone -q /srv/full /tmp/local; cd /tmp/local; ${script}; chmod 644 /var/lib/nexus/source.bundle`,
      );
    const bundle = '/var/lib/nexus/source.bundle';
    const upload = { upload: true } as const;

    it('has its branches, and the real URL as origin', async () => {
      await bundleOf(`git branch other v1; git bundle create -q ${bundle} HEAD main other v1`);
      const seen = await clone('https://github.com/a/b.git', upload);
      assert.equal(seen.clone?.branch, 'main');
      const state = await inRepository(
        'git remote get-url origin; git branch --format "%(refname:short)"; git tag; git status --porcelain; git log --format=%s -1; git config branch.main.merge; git config push.autoSetupRemote',
      );
      assert.deepEqual(state.trim().split('\n'), ['https://github.com/a/b.git', 'main', 'other', 'v1', 'two', 'true']);
      assert.equal((await lab.shell(`ls ${bundle}`)).stdout, '', 'the bundle is gone');
    });

    it('says nothing that sounds like a failure, and leaves no trace of its own', async () => {
      await bundleOf(`git branch -m main master; git bundle create -q ${bundle} HEAD master`);
      lab.progress.length = 0;
      assert.equal((await clone('', upload)).clone?.branch, 'master');
      assert.doesNotMatch(lab.progress.join('\n'), /fatal|error|systemd|nexus\.clone/i);
      const state = await inRepository('git for-each-ref --format "%(refname)"; git status --porcelain');
      assert.deepEqual(state.trim().split('\n'), ['refs/heads/master']);
    });

    it('needs a branch or a HEAD', async () => {
      await bundleOf(`git bundle create -q ${bundle} v1`);
      await assert.rejects(clone('', upload), /neither a branch nor a HEAD/);
    });

    it('has the branch follow that of origin when origin has it', async () => {
      await bundleOf(`git bundle create -q ${bundle} HEAD main refs/remotes/origin/main`);
      await clone('https://github.com/a/b.git', upload);
      assert.equal((await inRepository('git rev-parse --abbrev-ref @{upstream}')).trim(), 'origin/main');
    });

    it('takes the branch that is asked for, and no local path as origin', async () => {
      await bundleOf(`git branch other v1; git bundle create -q ${bundle} HEAD main other`);
      const seen = await clone('/home/me/project', { ...upload, ref: 'other' });
      assert.equal(seen.clone?.branch, 'other');
      assert.equal((await inRepository('git remote')).trim(), '');
      assert.equal((await inRepository('echo *')).trim(), 'one');
    });

    it('of a detached HEAD', async () => {
      await bundleOf(
        `git checkout -q --detach; git commit -q --allow-empty -m loose; git bundle create -q ${bundle} HEAD`,
      );
      assert.equal((await clone('', upload)).clone?.branch, null);
      assert.equal((await inRepository('git log --format=%s -1')).trim(), 'loose');
    });

    it('brings uncommitted changes along, uncommitted', async () => {
      await bundleOf(
        `echo changed > one; rm two; echo new > three; git add -A; changes=$(git commit-tree -p HEAD -m changes $(git write-tree)); git update-ref refs/nexus/changes $changes; git bundle create -q ${bundle} HEAD main refs/nexus/changes`,
      );
      const seen = await clone('', upload);
      assert.equal(seen.clone?.commit, (await lab.shell('cd /srv/full && git rev-parse main')).stdout);
      assert.deepEqual(
        (await inRepository('git status --porcelain; cat one three; git for-each-ref refs/nexus'))
          .split('\n')
          .filter(Boolean),
        [' M one', ' D two', '?? three', 'changed', 'new'],
      );
    });

    it('fails when it was not uploaded, or is not one', async () => {
      await assert.rejects(clone('', upload), /the repository was not uploaded/);
      await lab.shell(`echo garbage > ${bundle}`);
      await assert.rejects(clone('', upload), /damaged|no such repository/);
    });

    it('fails when the branch is not in it', async () => {
      await bundleOf(`git bundle create -q ${bundle} HEAD main`);
      await assert.rejects(clone('', { ...upload, ref: 'nope' }), /no branch, tag or commit nope/);
    });
  });
});
