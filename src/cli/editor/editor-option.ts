import { Option } from 'commander';
import { editors } from './editors.ts';

/** Its value is checked where editors are looked for, which knows more of them than their names. */
export function editorOption(): Option {
  const option = new Option('--editor <editor>', 'what to open it in (default: the first there is)');
  option.argChoices = editors.map(({ id }) => id);
  return option;
}
