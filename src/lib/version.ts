/** Replaced by scripts/build.ts; a checkout that runs its sources has none. */
declare const NEXUS_VERSION: string | undefined;

/** `0.1.0+1a2b3c4`: the release and the commit of the sources, or `0.0.0-dev` when run from sources. */
export const version: string = typeof NEXUS_VERSION === 'undefined' ? '0.0.0-dev' : NEXUS_VERSION;
