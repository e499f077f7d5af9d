import { BlockList, isIP } from 'node:net';

/**
 * Where a webhook may never go: addresses at which clouds hand out credentials, and those that name no
 * host. Private and loopback addresses are allowed: the operator's bot often lives beside us.
 */
const FORBIDDEN = new BlockList();
// Link-local, and with it the metadata service of most clouds.
FORBIDDEN.addSubnet('169.254.0.0', 16, 'ipv4');
FORBIDDEN.addSubnet('fe80::', 10, 'ipv6');
// Metadata services elsewhere: EC2 over IPv6, Alibaba, Azure, Oracle.
FORBIDDEN.addAddress('fd00:ec2::254', 'ipv6');
FORBIDDEN.addAddress('100.100.100.200', 'ipv4');
FORBIDDEN.addAddress('168.63.129.16', 'ipv4');
FORBIDDEN.addAddress('192.0.0.192', 'ipv4');
// "This network", multicast, reserved and broadcast.
FORBIDDEN.addSubnet('0.0.0.0', 8, 'ipv4');
FORBIDDEN.addSubnet('224.0.0.0', 3, 'ipv4');
FORBIDDEN.addAddress('::', 'ipv6');
FORBIDDEN.addSubnet('ff00::', 8, 'ipv6');

/** IPv4 within IPv6: 6to4 and NAT64; BlockList itself sees through ::ffff:0:0/96. */
FORBIDDEN.addSubnet('2002:a9fe::', 32, 'ipv6');
FORBIDDEN.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');

export function isForbidden(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return true;
  return FORBIDDEN.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
