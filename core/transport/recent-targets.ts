import type { ListenPoint, Target } from '../sip/hop.ts';

/** How many are remembered; a power of two. */
const PLACES = 256;

/** A target with all properties that one may have: objects of one shape. */
export function newTarget(address: string, port: number, point: ListenPoint, flow: number): Target {
  return { protocol: point.protocol, address, port, host: undefined, point, flow, onlyFlow: undefined };
}

/** Where replies went lately: the transactions of one peer, of which many wait at a time, share one object. Each place holds one port's last target. */
export class RecentTargets {
  readonly #places: (Target | undefined)[] = Array.from({ length: PLACES }, () => undefined);

  /** The target with these properties and no other. */
  take(address: string, port: number, point: ListenPoint, flow: number): Target {
    const place = port & (PLACES - 1);
    const known = this.#places[place];
    if (known?.address === address && known.port === port && known.point === point && known.flow === flow)
      return known;
    const target = newTarget(address, port, point, flow);
    this.#places[place] = target;
    return target;
  }
}
