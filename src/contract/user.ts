import { z } from 'zod';

const fingerprint = z
  .string()
  .regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'must be SHA256: and 43 characters, as ssh-keygen -l prints it');

export const userName = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62})$/, 'must be a user name');

export const registerUserRequest = z.strictObject({
  github_username: userName,
  github_id: z.int().positive(),
  ssh_pubkey: z.string().max(16_384),
  ssh_pubkey_fingerprint: fingerprint,
});

export const updateSshKeyRequest = z.strictObject({
  ssh_pubkey: z.string().max(16_384),
  ssh_pubkey_fingerprint: fingerprint,
});

export const userView = z.object({
  user_id: z.string(),
  github_username: z.string(),
  ssh_pubkey_fingerprint: z.string().nullable(),
  registered_at: z.iso.datetime(),
  workspaces: z.array(z.string()),
});
export type UserView = z.infer<typeof userView>;
