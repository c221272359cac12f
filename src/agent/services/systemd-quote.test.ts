import assert from 'node:assert/strict';
import { it } from 'node:test';
import { escapePath, quoteArgument, quoteValue } from './systemd-quote.ts';

const arguments_: readonly [text: string, quoted: string][] = [
  ['npm run dev', '"npm run dev"'],
  ['echo "a" \\ \'b\'', '"echo \\"a\\" \\\\ \'b\'"'],
  ['echo 100% $HOME ${X}', '"echo 100%% $$HOME $${X}"'],
  ['a\nb\tc\rd', '"a\\nb\\tc\\rd"'],
  ['', '""'],
];
for (const [text, quoted] of arguments_) {
  it(`quotes ${JSON.stringify(text)}`, () => assert.equal(quoteArgument(text), quoted));
}

it('leaves $ in values, where it means nothing', () => {
  assert.equal(quoteValue('A=$x 5%'), '"A=$x 5%%"');
});

it('escapes paths', () => {
  assert.equal(escapePath('/home/dev/a b/100%'), '/home/dev/a b/100%%');
});
