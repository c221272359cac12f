import { layout } from './layout.ts';
import { parseRange, resolverAddresses } from './address-range.ts';

/** Interfaces of other engines on the host: what runs behind them is no business of a workspace. */
const foreignInterfaces = ['docker*', 'br-*', 'lxdbr*', 'incusbr*', 'virbr*', 'veth*', 'tap*'];

export const tableName = 'nexus';

/**
 * The whole of table `inet nexus`, as a script for `nft -f` that replaces an earlier one in one transaction.
 * Workspaces are told by their interface, which they cannot forge, not by their address.
 *
 * What a workspace may: the internet and the network that the host is in; names from the host's upstream servers,
 * which it asks under two fixed addresses of the range, so that a host that changes networks needs nothing changed
 * inside. What it may not: the host itself, other workspaces, link-local (cloud metadata) addresses, another
 * engine's containers, an address that is not its own. An address of the range that no workspace has is unreachable at
 * once: the network outside, which might answer for it, is never asked.
 */
export function networkRules({ range, upstream }: { range: string; upstream: readonly string[] }): string {
  const workspaces = `"${layout.interfacePrefix}*"`;
  const resolvers = resolverAddresses(parseRange(range));
  const names = resolvers.flatMap((resolver, index) => {
    const server = upstream[index] ?? upstream[0];
    return server === undefined
      ? []
      : [`    iifname ${workspaces} ip daddr ${resolver} meta l4proto { tcp, udp } th dport 53 dnat ip to ${server}`];
  });
  return `table inet ${tableName}
delete table inet ${tableName}
table inet ${tableName} {
  chain own_address {
    type filter hook prerouting priority raw; policy accept;
    iifname ${workspaces} meta nfproto ipv6 drop
    iifname ${workspaces} fib saddr . iif oif missing drop
  }
  chain names {
    type nat hook prerouting priority dstnat; policy accept;
${names.join('\n')}
  }
  chain to_host {
    type filter hook input priority filter; policy accept;
    iifname ${workspaces} ct state established,related accept
    iifname ${workspaces} drop
  }
  chain to_workspaces {
    type filter hook output priority filter; policy accept;
    ip daddr ${range} oifname != ${workspaces} reject with icmp type host-unreachable
  }
  chain through_host {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    iifname ${workspaces} ct status dnat accept
    iifname ${workspaces} oifname ${workspaces} drop
    iifname ${workspaces} ip daddr { 169.254.0.0/16, ${range} } drop
    iifname ${workspaces} oifname { ${foreignInterfaces.map((name) => `"${name}"`).join(', ')} } drop
    iifname ${workspaces} tcp flags syn tcp option maxseg size set rt mtu
    iifname ${workspaces} accept
    oifname ${workspaces} drop
  }
  chain out {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${range} oifname != ${workspaces} masquerade
  }
}
`;
}
