import { z } from 'zod';

/** How one signs in to this server; for anyone, for the CLI asks before it is signed in. */
export const signInView = z.object({
  mode: z.enum(['local', 'github', 'oidc']),
  /** Of the GitHub that the server works with; null unless that is how one signs in. */
  github: z
    .object({
      web_url: z.string(),
      api_url: z.string(),
      /** Of the server's OAuth app; null: there is none. */
      client_id: z.string().nullable(),
    })
    .nullable(),
});
export type SignInView = z.infer<typeof signInView>;
