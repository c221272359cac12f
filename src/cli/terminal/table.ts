import { padEnd, textWidth, truncate } from './text-width.ts';
import type { Output } from './output.ts';
import { paint } from './paint.ts';

const gap = '  ';

/** Rows under headings, each column as wide as its widest cell; lines are cut at the terminal's edge. */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[], output: Output): string {
  const widths = headings.map((heading, column) =>
    Math.max(textWidth(heading), ...rows.map((row) => textWidth(row[column] ?? ''))),
  );
  const color = paint(output);
  const line = (cells: readonly string[]): string =>
    truncate(
      cells
        .map((cell, column) => padEnd(cell, widths[column] ?? 0))
        .join(gap)
        .trimEnd(),
      output.columns(),
    );
  return [line(headings.map((heading) => color.dim(heading))), ...rows.map(line)].map((text) => `${text}\n`).join('');
}

/** `label  value` lines with the values under each other; a value of several lines is indented. */
export function formatFields(fields: readonly (readonly [label: string, value: string])[], output: Output): string {
  const width = Math.max(0, ...fields.map(([label]) => textWidth(label)));
  const color = paint(output);
  return fields
    .map(([label, value]) => {
      const [first = '', ...more] = value.split('\n');
      const rest = more.map((text) => `${' '.repeat(width)}${gap}${text}\n`).join('');
      return `${color.dim(padEnd(label, width))}${gap}${first}\n${rest}`;
    })
    .join('');
}
