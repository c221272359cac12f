// Writes docs/troubleshooting.md from the catalogue of errors and troubles*.ts: node scripts/generate-troubleshooting-doc.ts
import { writeFileSync } from 'node:fs';
import { NexusError, type ErrorCode } from '../src/contract/errors.ts';
import { errorExamples } from './error-examples.ts';
import { troublesHere } from './troubles-here.ts';
import { stages, troublesOfErrors, type Stage } from './troubles.ts';

export const troubleshootingDoc = 'docs/troubleshooting.md';

const head = `# Troubleshooting

What can go wrong on the way from a repository's name to an open editor, in the order in which one meets it. Every
error says what failed, why, and after \`→\` a next step that works when pasted; this is what is behind it. \`nexus doctor\`
checks everything here and on the server, and is the first thing to run when a line below does not help. Whatever
failed, \`nexus up\` again goes on where it stopped.

The words of an example are in the place of your own. The codes lead to [errors.md](errors.md), where each has its form
for programs. With \`NEXUS_TRACE=1\` in front of a command each request is shown, with \`NEXUS_DEBUG=1\` the cause of a
failure.

This file is generated: \`node scripts/generate-troubleshooting-doc.ts\` writes it from the catalogue of errors and
\`scripts/troubles*.ts\`.
`;

type Row = { readonly sees: string; readonly cause: string; readonly next: string };

export function renderTroubleshootingDoc(): string {
  const sections = (Object.keys(stages) as Stage[]).map((stage) => {
    const rows = [...rowsHere(stage), ...rowsOfErrors(stage)];
    return [`## ${stages[stage]}`, '', '| You see | Why | What to do |', '| --- | --- | --- |', ...rows.map(line), ''];
  });
  return `${head}\n${sections.flat().join('\n')}`;
}

function rowsHere(stage: Stage): Row[] {
  return troublesHere.filter(({ at }) => at === stage).map(({ says, cause, next }) => ({ sees: says, cause, next }));
}

function rowsOfErrors(stage: Stage): Row[] {
  return (Object.keys(troublesOfErrors) as ErrorCode[])
    .filter((code) => troublesOfErrors[code].at === stage)
    .map((code) => {
      const { cause, next } = troublesOfErrors[code];
      const { message, hint } = new NexusError(code, errorExamples[code]);
      const [firstLine = ''] = message.split('\n');
      const steps = [hint === null ? '' : `\`${hint}\``, next].filter((step) => step !== '').join('. ');
      return { sees: `${firstLine} [${code}](errors.md#${code})`, cause, next: steps };
    });
}

function line({ sees, cause, next }: Row): string {
  return `| ${[sees, cause, next].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

if (import.meta.main) writeFileSync(troubleshootingDoc, renderTroubleshootingDoc());
