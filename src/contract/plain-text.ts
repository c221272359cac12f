import { z } from 'zod';

/** Text that a process can be given: in its arguments and its environment, a NUL would be the end. */
export const plainText = z.string().refine((text) => !text.includes('\0'), 'must not hold a NUL');
