import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ServiceReport } from '../../src/contract/control-protocol.ts';
import { healthCheck } from '../../src/contract/service-spec.ts';
import { createLab, labEnv, noEngine, service, untilTrue, type Lab } from '../support/agent-lab.ts';

const env = labEnv;
const quick = { interval: 0.3, timeout: 1, retries: 2 };

describe('services', { skip: noEngine }, () => {
  let lab: Lab;
  before(async () => {
    lab = await createLab();
    await lab.shell('install -d -o dev -g dev /home/dev/workspace /home/dev/workspace/sub');
  });
  after(() => lab[Symbol.asyncDispose]());

  const named = (reports: readonly ServiceReport[], name: string) => reports.find((report) => report.name === name);
  const becomes = (name: string, fits: (report: ServiceReport) => boolean, timeoutMs?: number) =>
    lab
      .reported((reports) => reports.some((report) => report.name === name && fits(report)), timeoutMs)
      .then((r) => named(r, name));
  const start = (...spec: Parameters<typeof service>) =>
    lab.run({ do: 'start_service', service: service(...spec), env });
  const stop = (name: string, force = false) => lab.run({ do: 'stop_service', service: name, force });

  it('run as dev in their folder, with their environment, whatever characters are in the command', async () => {
    const odd = 'it\'s "100%" \\ $HOME `x` #';
    const command = `printf '%s\\n' "$ODD" "$NEXUS_SERVICE_WEB_PORT" "$PWD" "$(id -un)" "it's 100% $((1+1)) \\\\" $$ >/tmp/seen; exec sleep 1000`;
    await start('odd', command, { env: { ODD: odd }, cwd: 'sub' });
    await untilTrue('it has written', async () => (await lab.shell('grep -c . /tmp/seen')).stdout === '6');
    const lines = (await lab.shell('cat /tmp/seen')).stdout.split('\n');
    assert.deepEqual(lines.slice(0, 5), [odd, '8000', '/home/dev/workspace/sub', 'dev', "it's 100% 2 \\"]);
    assert.match(lines[5] ?? '', /^\d+$/);
  });

  it('are left alone when they run as they should, and restarted when something changed', async () => {
    const pid = async () => (await lab.shell('systemctl show -P MainPID nexus-same')).stdout;
    await start('same', 'exec sleep 1001');
    const first = await pid();
    const again = await start('same', 'exec sleep 1001');
    assert.equal(named(again.services, 'same')?.deaths, 0);
    assert.equal(await pid(), first);
    await start('same', 'exec sleep 1001', { env: { A: '1' } });
    assert.notEqual(await pid(), first);
    await stop('same');
  });

  it('become healthy when their HTTP check answers, soon', async () => {
    const check = healthCheck.parse({ type: 'http', path: '/', interval: 5 });
    const healthy = becomes('web', (report) => report.health === 'healthy');
    await start('web', 'exec python3 -u -m http.server 8000', { port: 8000, health_check: check });
    const startedAt = Date.now();
    const report = await healthy;
    assert.equal(report?.state, 'running');
    assert.equal(report?.detail, null);
    assert.ok(Date.parse(report?.last_check ?? '') >= startedAt - 5000);
    assert.ok(Date.now() - startedAt < 3_000, 'the interval of 5 s does not slow it down');
  });

  it('are restarted when they are killed', async () => {
    const restarted = becomes('web', (report) => report.deaths === 1 && report.health === 'healthy');
    await lab.shell('systemctl kill -s KILL nexus-web');
    assert.equal((await restarted)?.state, 'running');
  });

  it('are known again when the agent was killed', async () => {
    await lab.forgetEverything();
    const seen = await lab.run({ do: 'observe' });
    assert.equal(named(seen.services, 'web')?.health, 'healthy');
    assert.equal(named(seen.services, 'web')?.deaths, 1);
  });

  it('are gone with their whole tree when they are stopped, also what they let go of', async () => {
    const stubborn =
      "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 1002 & sleep 1003' & disown; while :; do sleep 1004; done";
    await start('tree', stubborn);
    await untilTrue('the tree is there', async () => (await lab.shell('pgrep -c -f "^sleep 100[234]"')).stdout === '3');
    const startedAt = Date.now();
    const seen = await stop('tree');
    assert.ok(Date.now() - startedAt > 9_000, 'it had 10 s');
    assert.equal(named(seen.services, 'tree')?.state, 'stopped');
    assert.equal((await lab.shell('pgrep -f "^sleep 100[234]"')).stdout, '');
    await start('tree', stubborn);
    const forcedAt = Date.now();
    await stop('tree', true);
    assert.ok(Date.now() - forcedAt < 3_000, 'with force it has none');
    assert.equal((await lab.shell('pgrep -f "^sleep 100[234]"')).stdout, '');
  });

  it('stop is done when there is nothing to stop', async () => {
    assert.equal(named((await stop('never')).services, 'never'), undefined);
    assert.equal(named((await stop('tree')).services, 'tree')?.state, 'stopped');
  });

  it('that run without a check are well after a second', async () => {
    const running = becomes('plain', (report) => report.state === 'running');
    const seen = await start('plain', 'exec sleep 1005');
    assert.equal(named(seen.services, 'plain')?.state, 'starting');
    assert.equal((await running)?.health, 'healthy');
    await stop('plain');
  });

  it('are unhealthy after their retries, and healthy again', async () => {
    const check = healthCheck.parse({ type: 'tcp', ...quick });
    const server =
      'import socket,signal,time\ns=socket.create_server(("127.0.0.1",8100))\nsignal.signal(signal.SIGUSR1,lambda *a:s.close())\nwhile True: time.sleep(1)';
    const healthy = becomes('tcp', (report) => report.health === 'healthy');
    await start('tcp', `exec python3 -c '${server}'`, { port: 8100, health_check: check });
    await healthy;
    const unhealthy = becomes('tcp', (report) => report.health === 'unhealthy');
    await lab.shell('systemctl kill -s USR1 nexus-tcp');
    assert.deepEqual(
      { ...(await unhealthy), last_check: null, started_at: null },
      {
        name: 'tcp',
        state: 'running',
        health: 'unhealthy',
        detail: 'nothing listens on port 8100',
        deaths: 0,
        last_check: null,
        started_at: null,
      },
    );
    await stop('tcp');
  });

  it('that do not answer in time have a timeout; HTTP errors are named', async () => {
    const server =
      'import http.server,time\nclass H(http.server.BaseHTTPRequestHandler):\n  n=0\n  def do_GET(self):\n    H.n+=1\n    if H.n>3: time.sleep(60)\n    self.send_response(204 if H.n==1 else 503); self.end_headers()\nhttp.server.HTTPServer(("",8200),H).serve_forever()';
    const check = healthCheck.parse({ type: 'http', path: '/up', ...quick });
    const failing = becomes('slow', (report) => report.health === 'unhealthy');
    await start('slow', `exec python3 -c '${server}'`, { port: 8200, health_check: check });
    assert.equal((await failing)?.detail, '/up answers 503');
    assert.equal((await becomes('slow', (report) => report.health === 'timeout'))?.detail, 'no answer in 1 s');
    await stop('slow', true);
  });

  it('are probed with commands as dev, with their own environment', async () => {
    const check = healthCheck.parse({
      type: 'exec',
      command: 'echo "user $(id -un) flag $FLAG"; test -e "$FLAG"',
      ...quick,
    });
    const failing = becomes('exec', (report) => report.health === 'healthy');
    await start('exec', 'sleep 1; touch "$FLAG"; exec sleep 1006', {
      health_check: check,
      env: { FLAG: '/tmp/flag file' },
    });
    await failing;
    const broken = becomes('exec', (report) => report.health === 'unhealthy');
    await lab.shell('rm "/tmp/flag file"');
    assert.equal((await broken)?.detail, 'the check ended with 1: user dev flag /tmp/flag file');
    await stop('exec');
  });

  it('that listen on the address of the workspace or on ::1 only are found', async () => {
    const listen = (host: string) => `exec python3 -m http.server --bind ${host} 8300`;
    const address = (await lab.run({ do: 'observe' })).address ?? '';
    for (const host of [address, '::1']) {
      const check = healthCheck.parse({ type: host === '::1' ? 'tcp' : 'http', ...quick });
      const healthy = becomes('bound', (report) => report.health === 'healthy', 10_000);
      await start('bound', listen(host), { port: 8300, health_check: check });
      await healthy;
      await stop('bound');
    }
  });

  it('that cannot be started say why', async () => {
    const lost = start('lost', 'true', { cwd: 'nowhere' });
    await assert.rejects(lost, /its folder \/home\/dev\/workspace\/nowhere does not exist/);
    await lab.shell('ln -s /dev/null /etc/systemd/system/nexus-masked.service; systemctl daemon-reload');
    await assert.rejects(start('masked', 'true'), { code: 'service_start_failed' });
    const noShell =
      'mkdir -p /etc/systemd/system/nexus-bare.service.d; printf "[Service]\\nUser=nobody-here\\nRestart=no\\n" > /etc/systemd/system/nexus-bare.service.d/x.conf';
    await lab.shell(noShell);
    await assert.rejects(start('bare', 'true'), { code: 'service_start_failed' });
    await lab.shell('rm -r /etc/systemd/system/nexus-*; systemctl daemon-reload');
  });

  it('have failed after 5 deaths in 2 minutes, and can be started again', async () => {
    const failed = becomes('bad', (report) => report.state === 'failed', 60_000);
    await start('bad', 'echo "oops $$"; sleep 0.2; exit 7');
    const report = await failed;
    assert.equal(report?.deaths, 5);
    assert.equal(report?.detail, 'it died 5 times in 2 minutes, the last time: it ended with exit code 7');
    assert.equal((await lab.shell('journalctl -q -o cat _SYSTEMD_UNIT=nexus-bad.service | grep -c oops')).stdout, '5');
    const again = await start('bad', 'exec sleep 1007');
    assert.equal(named(again.services, 'bad')?.deaths, 0);
    await stop('bad');
  });

  it('are not there after a restart of the workspace until they are started', async () => {
    await lab.run({ do: 'stop_instance', force: false });
    const seen = await lab.run({ do: 'start_instance' });
    assert.deepEqual(seen.services, []);
    assert.equal((await stop('web')).instance, 'running');
    await lab.run({ do: 'stop_instance', force: true });
    assert.equal((await stop('web')).instance, 'stopped');
  });
});
