const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ConnectionRefused: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  ConnectionReset: 'the connection was reset',
  ConnectionClosed: 'the connection was closed',
  UND_ERR_SOCKET: 'the connection was closed',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host cannot be looked up',
  ETIMEDOUT: 'the connection timed out',
  EHOSTUNREACH: 'there is no way to the host',
};

/** Of Node's parser, and of Bun's. */
const notHttp = /^HPE_|^Malformed_HTTP_Response$/;

/**
 * Of what `fetch`, a client that is made with it, or a socket threw; Node puts the socket's error into `cause`, Bun its
 * own code on the error.
 */
export function whyNoAnswer(error: unknown): string {
  let innermost = error;
  for (let one = error; one instanceof Error; one = one.cause) {
    innermost = one;
    if (one.name === 'TimeoutError') return 'it does not answer in time';
    const { code } = one as { code?: unknown };
    if (typeof code !== 'string') continue;
    const reason = reasons[code] ?? (notHttp.test(code) ? 'what answers there does not speak HTTP' : undefined);
    if (reason !== undefined) return reason;
  }
  return innermost instanceof Error ? innermost.message : String(innermost);
}
