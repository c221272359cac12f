/** What programs choke on. */
import * as fc from 'fast-check';

/** Stands in whatever the fuzzer sends that no log may hold. */
export const secretMark = 'fuzz-secret';

const hostileTexts = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\u{FEFF}',
  '\u{202E}txt.exe',
  '\u{1F600}'.repeat(50),
  'é'.repeat(200),
  '../../../../etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  '%00',
  '%',
  '%zz',
  '$(touch /tmp/nexus-fuzz)',
  "'; drop table workspaces; --",
  '" or 1=1 --',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '-rf',
  '--upload-pack=touch /tmp/nexus-fuzz',
  'line\r\nX-Injected: yes',
  '\u001b[2J',
  'null',
  'undefined',
  'NaN',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'https://user:fuzz-secret-password@example.com/x.git',
  'ws-aaaaaaaaaaaa',
  'x'.repeat(300),
  'x'.repeat(20_000),
  `fuzz-secret-${'s'.repeat(20)}`,
];

const hostileNumbers = [
  0,
  -0,
  -1,
  1,
  0.1,
  65_535,
  65_536,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  2 ** 63,
  1e21,
  1e308,
  5e-324,
];

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...hostileTexts) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
);

const hostileKeys = ['__proto__', 'constructor', 'prototype', 'toString', 'length', '', '\0', 'then'];

export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.constantFrom<unknown>(null, true, false, [], {}, [[]], [null], ['x'], { x: 1 }),
  fc.constantFrom(...hostileNumbers),
  fc.integer({ min: 10, max: 5_000 }).map(nested),
  fc.constantFrom(...hostileKeys).map((key) => JSON.parse(`{${JSON.stringify(key)}:{"x":1}}`) as unknown),
  fc.jsonValue({ maxDepth: 3 }),
);

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = level % 2 ? [value] : { a: value };
  return value;
}

/** Bodies of the JSON type that no JSON value is written as. */
export const brokenJson: fc.Arbitrary<Buffer> = fc.oneof(
  fc
    .constantFrom(
      '{',
      '[',
      '"',
      '{"a":}',
      '{"a":1,}',
      '{a:1}',
      "{'a':1}",
      '{"a":NaN}',
      '{"a":1e999}',
      '{"a":123456789012345678901234567890}',
      '{"a":1}{"a":2}',
      '{"a":1} x',
      '{"a":1,"a":2}',
      '{"__proto__":{"admin":true}}',
      '{"constructor":{"prototype":{"admin":true}}}',
      '{"\\u005f_proto__":1}',
      '{"a":"\\ud800"}',
      '{"a":"\\x"}',
      '\u{FEFF}{}',
      '/* c */{}',
      'true',
      '1',
      '"text"',
      ' '.repeat(1000),
      '\0',
      `{"${'k'.repeat(100_000)}":1}`,
      '['.repeat(200_000),
      `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
      `{"workspace_name":"${secretMark}-in-broken-json" x`,
      `{"stdin": ${secretMark}}`,
      'x'.repeat(2 ** 20),
      ' '.repeat(2 ** 20 + 1),
    )
    .map((body) => Buffer.from(body)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.concat([Buffer.from('{"a":"'), bytes, Buffer.from('"}')])),
);
