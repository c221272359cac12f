/** Errors of what is asked for: requests, configuration, and their limits. */
import { define } from './entry.ts';
import { platformOfProgram } from '../platform.ts';

export type FieldProblem = { readonly path: string; readonly problem: string };

/** What there is to ask for, and how. */
const apiDescription = 'curl -fsS "$NEXUS_SERVER/openapi.json"';

export const requestErrors = {
  invalid_request: define<{ fields: readonly FieldProblem[] }>({
    status: 400,
    meaning: 'The request has missing, unknown or malformed fields; all of them are named.',
    message: ({ fields }) => `The request is not valid: ${fields.map((f) => `${f.path}: ${f.problem}`).join('; ')}.`,
    hint: () => apiDescription,
  }),
  /** `of` is `repository` where it is not said. */
  config_invalid: define<{
    file: string;
    problems: readonly (FieldProblem & { line?: number; column?: number })[];
    of?: 'repository' | 'server' | 'data';
  }>({
    status: 400,
    meaning: 'A configuration file is broken: file, line, column, and what was expected.',
    message: ({ file, problems }) =>
      problems
        .map(({ line, column, path, problem }) =>
          [
            `${file}${line === undefined ? '' : `:${line}:${column ?? 1}`}`,
            ...(path === '' ? [] : [path]),
            problem,
          ].join(': '),
        )
        .join('\n'),
    hint: ({ file, problems, of = 'repository' }) => {
      if (of === 'repository') return 'nexus config validate';
      if (of === 'data') return `ls -l ${file}*`;
      const isFile = !['configuration', 'environment'].includes(file) && problems[0]?.path !== '';
      return `nexus server start ${isFile ? `--config ${file}` : '--help'}`;
    },
  }),
  dependency_cycle: define<{ cycle: readonly string[] }>({
    status: 400,
    meaning: 'Services depend on each other in a circle.',
    message: ({ cycle }) => `The services depend on each other in a circle: ${cycle.join(' → ')}.`,
    hint: () => 'nexus config validate',
  }),
  not_found: define<{ kind: string; name: string; nearest?: readonly string[]; workspace?: string }>({
    status: 404,
    meaning: 'It does not exist, or you may not see it.',
    message: ({ kind, name, nearest }) =>
      `There is no ${kind} ${name}.${nearest?.length ? ` Did you mean ${nearest.join(' or ')}?` : ''}`,
    hint: ({ kind, name, workspace }) => {
      if (kind === 'workspace') return 'nexus workspace list';
      if (kind === 'program' && platformOfProgram(name))
        return `make build-all && install -D dist/${name} DATA_DIR/downloads/${name}`;
      if (kind === 'service') return `nexus workspace services ${workspace ?? 'NAME'}`;
      if (kind === 'endpoint') return apiDescription;
      return kind === 'node' ? 'nexus node list' : null;
    },
  }),
  payload_too_large: define<{ limit_bytes: number }>({
    status: 413,
    meaning: 'The body is larger than is taken.',
    message: ({ limit_bytes }) => `The body is larger than ${limit_bytes} bytes.`,
    hint: () => null,
  }),
  output_too_large: define<{ stream: string; limit_bytes: number }>({
    status: 400,
    meaning: 'A command wrote more than one answer takes; over a WebSocket there is no limit.',
    message: ({ stream, limit_bytes }) => `The command wrote more than ${limit_bytes} bytes to ${stream}.`,
    hint: () => 'nexus workspace exec NAME -- COMMAND',
  }),
  unsupported_media_type: define<{ got: string; expected: string }>({
    status: 415,
    meaning: 'The body is not of the type that is taken.',
    message: ({ got, expected }) => `The body is ${got}, expected ${expected}.`,
    hint: () => apiDescription,
  }),
  rate_limited: define<{ limit: number; retry_after_seconds: number }>({
    status: 429,
    meaning: 'More requests than a user may make in a minute.',
    message: ({ limit, retry_after_seconds }) =>
      `More than ${limit} requests in a minute; try again in ${retry_after_seconds} s.`,
    hint: ({ retry_after_seconds }) => `sleep ${retry_after_seconds}`,
  }),
  timeout: define<{ what: string; seconds: number }>({
    status: 503,
    meaning: 'It took longer than is waited for; it goes on in the background.',
    message: ({ what, seconds }) => `${what} took longer than ${seconds} s.`,
    hint: () => 'nexus workspace list',
  }),
  internal: define<{ request_id?: string }>({
    status: 500,
    meaning: 'A fault of the server; its cause is in the server log under the request id.',
    message: ({ request_id }) => `The server failed${request_id ? ` (${request_id})` : ''}.`,
    hint: () => 'nexus doctor',
  }),
} as const;
