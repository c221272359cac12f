import type { Output } from './output.ts';

/** SGR parameters: on, off. */
const styles = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39],
} as const;
export type Style = keyof typeof styles;

export type Paint = Readonly<Record<Style, (text: string) => string>>;

const names = Object.keys(styles) as Style[];

/** Functions that colour text where the output shows colours, and leave it alone elsewhere. */
export function paint(output: Pick<Output, 'hasColor'>): Paint {
  const painters = names.map((name) => {
    const [on, off] = styles[name];
    return [name, output.hasColor ? (text: string) => `\u001B[${on}m${text}\u001B[${off}m` : (text: string) => text];
  });
  return Object.fromEntries(painters) as Paint;
}
