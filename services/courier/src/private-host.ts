import { BlockList, isIP } from 'node:net';

const PRIVATE = new BlockList();
PRIVATE.addSubnet('127.0.0.0', 8, 'ipv4');
PRIVATE.addAddress('::1', 'ipv6');
// RFC 1918 and RFC 4193.
PRIVATE.addSubnet('10.0.0.0', 8, 'ipv4');
PRIVATE.addSubnet('172.16.0.0', 12, 'ipv4');
PRIVATE.addSubnet('192.168.0.0', 16, 'ipv4');
PRIVATE.addSubnet('fc00::', 7, 'ipv6');

/** A name without a dot is one of the same machine or the same network, as Docker gives them. */
const NAME_WITHOUT_DOT = /^[a-z][a-z0-9_-]*$/i;

/** Whether the way to it leads through nobody else's network. The host as it stands in a URL. */
export function isPrivateHost(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(address);
  if (family === 0) return NAME_WITHOUT_DOT.test(host);
  return PRIVATE.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
