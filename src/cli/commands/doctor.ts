import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption } from '../command.ts';
import type { CliContext } from '../context.ts';
import { checkClient } from '../doctor/check-client.ts';
import { checkGithub } from '../doctor/check-github.ts';
import { checkServer } from '../doctor/check-server.ts';
import type { Finding } from '../doctor/finding.ts';
import { exitCodes } from '../exit-codes.ts';
import { connect } from '../server/connect.ts';
import { readLocalServer } from '../server/find-server.ts';
import { plural } from '../terminal/format.ts';
import type { Output } from '../terminal/output.ts';
import { paint } from '../terminal/paint.ts';
import { printResult } from '../terminal/print.ts';
import { padEnd } from '../terminal/text-width.ts';

export const doctor = defineCommand({
  description:
    'Checks everything here and on the server, and on a node (as root) the machine too. Each finding has a fix. Ends with 1 when something is broken.',
  examples: ['nexus doctor', 'nexus doctor --json'],
  configure: (command) => void command.option(...jsonOption),
  parse(typed) {
    if (typed.operands.length > 0 || typed.afterDashes) throw usageError('Nothing more is taken.');
    return { json: flagOption(typed, 'json') };
  },
  failure: () => 'Could not check everything',
  async run({ json }, context) {
    const client = await connect(context);
    const [here, server, github, node] = await Promise.all([
      checkClient(context),
      checkServer(context, client),
      checkGithub(context, client),
      checkThisNode(context),
    ]);
    const findings = [...here, ...server, ...github, ...node];
    printResult(context, findings, { json, text: (all) => findingsText(all, context.stdout) });
    return findings.some(({ status }) => status === 'broken') ? exitCodes.failed : exitCodes.done;
  },
});

/** Where a server runs there is usually its node; looking into the engine needs root. */
async function checkThisNode({ env, roles }: CliContext): Promise<Finding[]> {
  if (process.getuid?.() !== 0 || (await readLocalServer(env)).url === null) return [];
  const findings = await roles.checkNode();
  return findings.map(({ name, ok, detail, fix }) => ({ name, status: ok ? 'ok' : 'broken', detail, fix }));
}

const marks = { ok: ['✔', 'green'], warning: ['!', 'yellow'], broken: ['✖', 'red'] } as const;

function findingsText(findings: readonly Finding[], output: Output): string {
  const color = paint(output);
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.flatMap(({ name, status, detail, fix }) => {
    const [mark, style] = marks[status];
    const line = `${color[style](mark)} ${padEnd(name, width)}  ${detail}\n`;
    return fix === null ? [line] : [line, `  ${' '.repeat(width)}  ${color.cyan('→')} ${fix}\n`];
  });
  const bad = findings.filter(({ status }) => status === 'broken').length;
  return `${lines.join('')}\n${bad === 0 ? 'Nothing is broken.' : `${plural(bad, 'thing')} to put right.`}\n`;
}
