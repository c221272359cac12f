import { z } from 'zod';

/**
 * `~/.nexus/config.yaml`, a person's own settings. Unknown keys are kept: a newer version of nexus on the same home
 * may have written them.
 */
export const userConfig = z.looseObject({
  /** A URL, or a host (with a port or not). */
  server: z.string().min(1).optional(),
  server_port: z.int().min(1).max(65_535).optional(),
  github: z.looseObject({ username: z.string().optional() }).optional(),
  ssh: z
    .looseObject({
      /** The private key, whose public half is beside it with `.pub`; or the `.pub` of one that ssh-agent alone holds. */
      key_path: z.string().min(1).optional(),
      key_type: z.string().optional(),
      auto_upload_to_github: z.boolean().optional(),
    })
    .optional(),
  editor: z.looseObject({ preferred: z.string().optional(), auto_launch: z.boolean().optional() }).optional(),
});
export type UserConfig = z.infer<typeof userConfig>;
