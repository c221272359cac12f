import type { Output } from './output.ts';
import { truncate } from './text-width.ts';

/**
 * Shows a text that changes: on a terminal in place of the last one, elsewhere after it. The same text is not shown
 * twice.
 */
export function createRedraw(output: Output): (text: string) => void {
  let last = '';
  return (text) => {
    if (text === last) return;
    const shown = last.split('\n').length - 1;
    const back = output.isTerminal && shown > 0 ? `\r\u001B[${shown}A\u001B[0J` : '';
    // A line that wraps would take more rows than are taken back.
    const lines = text.split('\n').map((line) => truncate(line, output.columns()));
    output.write(`${back}${lines.join('\n')}`);
    last = text;
  };
}
