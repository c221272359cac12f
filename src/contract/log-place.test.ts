import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placePrefix, splitPlace } from './log-place.ts';

const place = 's=6c08;i=5e2a;b=0f;m=1;t=62d;x=9';

const lines: readonly [text: string, place: string | null, line: string][] = [
  [`${placePrefix(place)}a\tline`, place, 'a\tline'],
  [placePrefix(place), place, ''],
  ['a\tline', null, 'a\tline'],
  ['', null, ''],
  ['\u001Ewhat is\tno place', null, '\u001Ewhat is\tno place'],
  ['\u001E\t', null, '\u001E\t'],
  [`\u001E${place}`, null, `\u001E${place}`],
];
for (const [text, expected, line] of lines)
  test(`${JSON.stringify(text)} is at ${expected}`, () =>
    assert.deepEqual(splitPlace(text), { place: expected, line }));
