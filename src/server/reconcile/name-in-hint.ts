import type { ErrorBody } from '../../contract/errors.ts';

/** Whoever finds what is wrong with a workspace may not know what people call it: its hint then says NAME. */
export function nameInHint(error: ErrorBody, workspace: string): ErrorBody {
  return error.hint ? { ...error, hint: error.hint.replace(/\bNAME\b/, workspace) } : error;
}
