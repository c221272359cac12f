/** Fields that several requests have. */
import { z } from 'zod';
import { plainText } from './plain-text.ts';

/** Also as it comes in a query. */
export const flag = z.union([
  z.boolean(),
  z.enum(['true', 'false', '1', '0', '']).transform((v) => v === 'true' || v === '1'),
]);
/** What a command may take, as JSON, of the line that asks an agent for it (`stream-protocol.ts`). */
const commandBytes = 56 * 1024;
export const command = z
  .array(plainText)
  .min(1)
  .max(1000)
  .refine(
    (words) => Buffer.byteLength(JSON.stringify(words)) <= commandBytes,
    `must be at most ${commandBytes / 1024} KiB; what is longer goes in as stdin`,
  );
