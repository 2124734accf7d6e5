import type { ListenPoint } from '../sip/hop.ts';
import { bracketed, familyOf, interfaceAddress, isWildcard } from './addresses.ts';
import type { ListenOption } from './listen-option.ts';

/**
 * The listen point of a bound socket. Behind a wildcard address it tells others one of this machine's own; which of
 * them may depend on the destination one day, and this is the place for it.
 */
export function listenPoint(option: ListenOption, bound: { address: string; port: number }): ListenPoint {
  const { address, port } = bound;
  const family = familyOf(address);
  const host = option.advertise?.host ?? (isWildcard(address) ? interfaceAddress(family) : address);
  const advertisedHost = bracketed(host);
  const advertisedPort = option.advertise?.port ?? port;
  return {
    protocol: option.protocol,
    family,
    address,
    port,
    advertisedHost,
    advertisedPort,
    sentBy: `${advertisedHost}:${advertisedPort}`,
  };
}
