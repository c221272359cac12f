/** A service name (see `serviceName` of the contract) from a folder's, a package's or a process's name. */
export function toServiceName(text: string): string {
  const name = text
    .replace(/^@[^/]*\//, '')
    .replaceAll(/[^a-zA-Z0-9_-]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^[_-]+|[_-]+$/g, '');
  return name === '' ? 'app' : name;
}
