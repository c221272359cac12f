/** What `nexus` ends with; `exec` and `ssh` end with the remote command's own code instead. */
export const exitCodes = {
  done: 0,
  failed: 1,
  wrongUse: 2,
  notSignedIn: 4,
  notFound: 5,
  conflict: 6,
  serverUnreachable: 7,
  timedOut: 8,
  interrupted: 130,
} as const;
