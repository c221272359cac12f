/** A short run of `make fuzz-wire` on the sources; the same seed always, so that what fails once fails again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attackControl } from '../fuzz-wire/control-campaign.ts';
import { attackGateway } from '../fuzz-wire/gateway-campaign.ts';
import { startServer } from '../fuzz/server-under-test.ts';
import { secretMark } from '../fuzz/hostile-values.ts';
import { sourceProgram } from '../support/programs.ts';

const mebibyte = 2 ** 20;

test('strangers and broken peers on the control connection harm nobody but themselves', async () => {
  await using server = await startServer(sourceProgram);
  const report = await attackControl({ server, seed: 20_260_117, connections: 100, floodBytes: 32 * mebibyte });
  assert.deepEqual(report.problems, []);
  assert.ok(report.highestRssBytes < report.before.rssBytes + 300 * mebibyte, JSON.stringify(report));
  assert.ok(report.after.handles <= report.before.handles + 3, JSON.stringify(report));
  assert.ok(report.warnings <= 150, `${report.warnings} lines of warnings`);
  assert.deepEqual(await server.logLinesWith([server.token, secretMark]), []);
});

test('strangers at the gateway, and a node that breaks the protocol there, disturb no session', async () => {
  const report = await attackGateway({ seed: 20_260_117, connections: 150 });
  assert.deepEqual(report.problems, []);
  assert.ok(report.highestRssBytes < report.before.rssBytes + 400 * mebibyte, JSON.stringify(report));
  assert.ok(report.after.handles <= report.before.handles + 3, JSON.stringify(report));
  assert.ok(report.logLines <= 100, `${report.logLines} lines in the log`);
});
