import { BlockList, isIP, isIPv6 } from 'node:net';

/** Whether an address is in one of these networks, `185.71.76.0/27` or `2a02:5180::/32`. */
export function isFromOneOf(address: string, networks: readonly string[]): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIP(plain) === 0) return false;
  return listOf(networks).check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}

const lists = new WeakMap<readonly string[], BlockList>();

function listOf(networks: readonly string[]): BlockList {
  const known = lists.get(networks);
  if (known !== undefined) return known;

  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix = ''] = network.split('/');
    list.addSubnet(address, Number(prefix), isIPv6(address) ? 'ipv6' : 'ipv4');
  }
  lists.set(networks, list);
  return list;
}
