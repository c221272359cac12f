// Writes docs/errors.md from the catalogue of errors: node scripts/generate-errors-doc.ts
import { writeFileSync } from 'node:fs';
import { errorCatalogue } from '../src/contract/error-catalogue.ts';
import { NexusError, type ErrorCode } from '../src/contract/errors.ts';
import { errorExamples } from './error-examples.ts';

export const errorsDoc = 'docs/errors.md';

const head = `# Errors

Every failure that a person or a program sees is one of these. Over HTTP it is the body of an answer of the status
below; in a workspace it stands under \`error\`:

\`\`\`json
{ "error": "CODE", "message": "what failed and why", "details": {}, "hint": "a next step", "request_id": "req-…" }
\`\`\`

This file is generated: \`node scripts/generate-errors-doc.ts\` writes it from \`src/contract/error-catalogue/\`.
`;

export function renderErrorsDoc(): string {
  const codes = Object.keys(errorCatalogue) as ErrorCode[];
  return `${head}\n${codes.map(section).join('\n')}`;
}

function section(code: ErrorCode): string {
  const { status, meaning } = errorCatalogue[code];
  const example = new NexusError(code, errorExamples[code]);
  const message = example.message.split('\n').map((line) => `> ${line}  `);
  const hint = example.hint === null ? [] : [`> → \`${example.hint}\``];
  return [`## ${code}`, '', `Status ${status}. ${meaning}`, '', ...message, ...hint, ''].join('\n');
}

if (import.meta.main) writeFileSync(errorsDoc, renderErrorsDoc());
