import { stripVTControlCharacters } from 'node:util';

const invisible = /[\p{Mn}\p{Me}\p{Cf}]/u;
/** East Asian Wide and Fullwidth blocks, and emoji shown as such: two columns each. */
const wide =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97C\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation}/u;

/** How many columns of a terminal the text takes; colours take none. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of stripVTControlCharacters(text)) width += widthOf(character);
  return width;
}

function widthOf(character: string): number {
  if (invisible.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}

/** The text without colours, cut to `width` columns with `…` at its end when it is longer. */
export function truncate(text: string, width: number): string {
  const plain = stripVTControlCharacters(text);
  if (textWidth(plain) <= width) return text;
  let taken = 0;
  let result = '';
  for (const character of plain) {
    taken += widthOf(character);
    if (taken > width - 1) break;
    result += character;
  }
  return `${result}…`;
}
