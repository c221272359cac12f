/** The seam between the API and the ways to sign in. */

/** Whom a token belongs to. */
export type TokenOwner = {
  readonly githubUsername: string;
  /** Positive. In OIDC mode made from the issuer's `sub`. */
  readonly githubId: number;
  readonly admin: boolean;
};

/** `warning`: why this may be an old answer, for the client to be told. */
export type Authentication = TokenOwner & { readonly warning?: string };

export type Authenticator = {
  /** @throws unauthorized when the token is not accepted; github_unreachable, github_rate_limited, issuer_unreachable when that cannot be told */
  authenticate(token: string): Promise<Authentication>;
};

/** The user of the operating system who started the server. */
export type OsUser = { readonly username: string; readonly uid: number };
