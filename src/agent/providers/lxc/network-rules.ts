import { layout } from './layout.ts';
import { parseRange, resolverAddresses } from './address-range.ts';

/** Interfaces of other engines on the host: what runs behind them is no business of a workspace. */
const foreignInterfaces = ['"docker*"', '"br-*"', '"lxdbr*"', '"incusbr*"', '"virbr*"', '"veth*"', '"tap*"'];

const workspaces = `"${layout.interfacePrefix}*"`;

/** Of one workspace to the outside, at once. The table that they are kept in is the host's, and all share it. */
const openConnections = 8192;

export const tableName = 'nexus';

export type NetworkRulesOptions = {
  readonly range: string;
  /** The host's name servers, best first. */
  readonly upstream: readonly string[];
  /** Networks that the host itself is in (`hostNetworks`). */
  readonly hostNetworks: readonly string[];
  /** Addresses and networks in them that workspaces may reach all the same: a git server, a proxy. */
  readonly reach: readonly string[];
};

/**
 * The whole of table `inet nexus`, as a script for `nft -f` that replaces an earlier one in one transaction.
 * Workspaces are told by their interface, which they cannot forge, not by their address.
 *
 * What a workspace may: the internet; names from the host's upstream servers, which it asks under two fixed addresses
 * of the range, so that a host that changes networks needs nothing changed inside. What it may not: the host itself
 * under any of its addresses, other workspaces, the networks that the host is in, link-local (cloud metadata)
 * addresses, another engine's containers, an address that is not its own, IPv6. What it may not is refused at once, so
 * that nobody waits for it. An address of the range that no workspace has is unreachable at once too: the network
 * outside, which might answer for it, is never asked.
 */
export function networkRules({ range, upstream, hostNetworks, reach }: NetworkRulesOptions): string {
  return `table inet ${tableName}
delete table inet ${tableName}
table inet ${tableName} {
  set connections {
    type ipv4_addr
    size 65535
    flags dynamic
  }
  chain own_address {
    type filter hook prerouting priority raw; policy accept;
    iifname ${workspaces} meta nfproto ipv6 drop
    iifname ${workspaces} fib saddr . iif oif missing drop
  }
  chain names {
    type nat hook prerouting priority dstnat; policy accept;
${toNameServers({ range, upstream }).join('\n')}
  }
  chain refused {
    meta l4proto tcp reject with tcp reset
    reject with icmp type admin-prohibited
  }
  chain internet {
    add @connections { ip saddr ct count over ${openConnections} } goto refused
    tcp flags syn tcp option maxseg size set rt mtu
    accept
  }
  chain to_host {
    type filter hook input priority filter; policy accept;
    iifname ${workspaces} ct state established,related accept
    iifname ${workspaces} goto refused
  }
  chain to_workspaces {
    type filter hook output priority filter; policy accept;
    ip daddr ${range} oifname != ${workspaces} reject with icmp type host-unreachable
  }
  chain through_host {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    iifname ${workspaces} ct state invalid drop
    iifname ${workspaces} ct status dnat goto internet
    iifname ${workspaces} oifname ${workspaces} goto refused
    iifname ${workspaces} ip daddr { 169.254.0.0/16, ${range} } goto refused
    iifname ${workspaces} oifname { ${foreignInterfaces.join(', ')} } goto refused
${toHostNetworks({ hostNetworks, reach }).join('\n')}
    iifname ${workspaces} goto internet
    oifname ${workspaces} drop
  }
  chain out {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${range} oifname != ${workspaces} masquerade
  }
}
`;
}

/** Each address that workspaces ask under is a server of the host's. */
function toNameServers({ range, upstream }: Pick<NetworkRulesOptions, 'range' | 'upstream'>): string[] {
  return resolverAddresses(parseRange(range)).flatMap((resolver, index) => {
    const server = upstream[index] ?? upstream[0];
    return server === undefined
      ? []
      : [`    iifname ${workspaces} ip daddr ${resolver} meta l4proto { tcp, udp } th dport 53 dnat ip to ${server}`];
  });
}

/** What may be reached there comes before what is refused. */
function toHostNetworks({ hostNetworks, reach }: Pick<NetworkRulesOptions, 'hostNetworks' | 'reach'>): string[] {
  return [
    ...reach.map((network) => `    iifname ${workspaces} ip daddr ${network} goto internet`),
    ...hostNetworks.map((network) => `    iifname ${workspaces} ip daddr ${network} goto refused`),
  ];
}
