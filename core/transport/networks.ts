import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { BlockList, isIPv6, type IPVersion } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Family } from './addresses.ts';

/** Addresses that stand for all the world: no one has them, and no packet is sent (RFC 5737 3, RFC 3849 2). */
const FAR: Readonly<Record<Family, string>> = { 4: '192.0.2.1', 6: '2001:db8::1' };

/** An address of this machine, with its network as `os.networkInterfaces` has it: `10.0.0.5/24`, null where that is not known. */
export interface MachineAddress {
  readonly address: string;
  readonly cidr: string | null;
}

/** A network that this machine is on. */
interface Network {
  readonly family: Family;
  /** The machine's own address in it. */
  readonly own: string;
  readonly addresses: BlockList;
}

/** The networks of this machine's interfaces when the proxy started, and which of them leads to the rest of the world. */
export class Networks {
  readonly #networks: readonly Network[];
  readonly #wayOut: Readonly<Record<Family, Network | null>>;

  /** `towardsWorld`: the addresses that the rest of the world is reached from; null: there is no way there. */
  constructor(addresses: readonly MachineAddress[], towardsWorld: Readonly<Record<Family, string | null>>) {
    this.#networks = addresses.map(networkOf).filter((each) => each !== null);
    const named = (address: string | null): Network | null =>
      this.#networks.find(({ own }) => own === address) ?? null;
    this.#wayOut = { 4: named(towardsWorld[4]), 6: named(towardsWorld[6]) };
  }

  /** Asks the system for both; sends nothing. */
  static async ofMachine(): Promise<Networks> {
    const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
    const [v4, v6] = await Promise.all([sourceTowards(4), sourceTowards(6)]);
    return new Networks(addresses, { 4: v4, 6: v6 });
  }

  /** Whether `address`, one of this machine's, is on the network by which the system reaches a target; null when that is not known. */
  isTowards(address: string, target: string): boolean | null {
    const family: Family = isIPv6(target) ? 6 : 4;
    const network =
      this.#networks.find((each) => each.family === family && contains(each, target)) ?? this.#wayOut[family];
    return network === null ? null : contains(network, address);
  }
}

function networkOf({ address, cidr }: MachineAddress): Network | null {
  if (cidr === null) return null;
  const family: Family = isIPv6(address) ? 6 : 4;
  const addresses = new BlockList();
  addresses.addSubnet(address, Number(cidr.slice(cidr.indexOf('/') + 1)), versionOf(family));
  return { family, own: address, addresses };
}

function contains({ family, addresses }: Network, address: string): boolean {
  const zone = address.indexOf('%');
  return addresses.check(zone < 0 ? address : address.slice(0, zone), versionOf(family));
}

function versionOf(family: Family): IPVersion {
  return family === 6 ? 'ipv6' : 'ipv4';
}

/** The address that the system would send from to the rest of the world; null when it knows no way. */
async function sourceTowards(family: Family): Promise<string | null> {
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  try {
    socket.connect(5060, FAR[family]);
    await once(socket, 'connect');
    return socket.address().address;
  } catch {
    // No such way: targets that are on no network of ours are left to the order of the configuration.
    return null;
  } finally {
    socket.close();
  }
}
