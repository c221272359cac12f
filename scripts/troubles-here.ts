// Failures that the command line tells of by itself, for docs/troubleshooting.md.
import type { Trouble } from './troubles.ts';

/** Failures of the person's own machine, which are not of the catalogue. `…` stands for what differs. */
export const troublesHere: readonly (Trouble & { readonly says: string })[] = [
  {
    at: 'server',
    says: 'The Nexus server at … cannot be reached: …',
    cause: 'No server runs there, the address is wrong, a firewall is in the way, or this machine is offline.',
    next: '`nexus doctor` tells which. The address is remembered: `nexus up REPO --server HOST` sets another.',
  },
  {
    at: 'server',
    says: 'so it is not a Nexus server',
    cause: 'Something else listens at that address, a proxy’s own page for instance.',
    next: 'Give scheme and port: `nexus up REPO --server https://nexus.example.com:3001`.',
  },
  {
    at: 'sign-in',
    says: 'Your GitHub token would go to … in clear.',
    cause: 'The server’s address begins with `http://` and is not this machine.',
    next: 'Use its `https://` address.',
  },
  {
    at: 'sign-in',
    says: "… is not GitHub's API: it does not know /user.",
    cause: 'The server’s `github.api_url` is wrong; an Enterprise Server’s ends in `/api/v3`.',
    next: 'An administrator mends the server’s configuration.',
  },
  {
    at: 'key',
    says: 'No SSH key of yours is registered.',
    cause: 'The server does not know you on this machine yet.',
    next: '`nexus ssh setup`',
  },
  {
    at: 'key',
    says: "….pub is missing, and cannot be made without the key's passphrase.",
    cause: 'Only the private half is there, and locked.',
    next: '`ssh-keygen -y -f KEY > KEY.pub` asks for the passphrase.',
  },
  {
    at: 'key',
    says: '… is open to others (…), so that OpenSSH does not use it.',
    cause: 'Others of this machine may read the private key.',
    next: '`chmod 600 KEY`',
  },
  {
    at: 'key',
    says: 'The key is on another account of …',
    cause: 'GitHub takes a key for one account only, and that one is not yours (or a deploy key).',
    next: '`nexus ssh setup --generate --key-path ~/.ssh/nexus --yes` makes one for this account.',
  },
  {
    at: 'key',
    says: 'The token of … may not change your SSH keys on …',
    cause: 'The token lacks the scope `admin:public_key`.',
    next: '`gh auth refresh --hostname github.com --scopes admin:public_key`, or without gh `nexus auth github --force`. Workspaces work without it.',
  },
  {
    at: 'repository',
    says: '… is not in a git repository.',
    cause: 'The folder that was named, or the current one, has no git repository.',
    next: 'Name one: `nexus up OWNER/REPO`.',
  },
  {
    at: 'repository',
    says: 'Nothing of … is committed yet',
    cause: 'A workspace is made of what is committed.',
    next: '`git add -A && git commit -m "First commit"`',
  },
  {
    at: 'repository',
    says: 'The URL holds a password, which would be written down in the workspace.',
    cause: 'A workspace gets your rights without a password in the URL.',
    next: 'Use the URL without it.',
  },
  {
    at: 'editor',
    says: 'ssh … does not get in: …',
    cause:
      'OpenSSH’s own words follow. `Permission denied`: another key than the registered one. `Connection refused` or a timeout: the SSH port is not reachable from here.',
    next: '`nexus ssh NAME` goes over the server’s HTTP port and needs no other; `nexus ssh setup` registers the key.',
  },
  {
    at: 'editor',
    says: '… is not on this machine: … is not on the PATH',
    cause: 'The editor has no command on the `PATH`.',
    next: '`nexus editor detect` shows those that have; in VS Code and Cursor: “Shell Command: Install … command in PATH”.',
  },
  {
    at: 'editor',
    says: '… cannot be run on this machine: …',
    cause: 'OpenSSH’s client is missing.',
    next: '`apt-get install openssh-client`',
  },
  {
    at: 'editor',
    says: 'The connection was lost before the command ended.',
    cause: 'The network or the server went away in the middle of `exec`.',
    next: 'The command may go on: look with `nexus workspace exec NAME -- ps aux`.',
  },
  {
    at: 'editor',
    says: 'The connection was lost; the logs go on when it is back',
    cause: 'The same under `logs --follow`: it reconnects by itself, and no line is lost.',
    next: 'Wait, or Ctrl-C.',
  },
  {
    at: 'editor',
    says: 'New connections wait until it is back.',
    cause: 'The same under `workspace port`: it reconnects by itself.',
    next: 'Wait, or Ctrl-C.',
  },
  {
    at: 'node',
    says: 'This needs root.',
    cause: 'Setting up a node or running an agent changes the machine.',
    next: 'The same command with `sudo`.',
  },
];
