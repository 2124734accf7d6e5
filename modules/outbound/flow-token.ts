import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FlowRoute, ListenPoint, Received } from '../../core/index.ts';

/** What a user part that is a flow token begins with: all that does is taken for one. */
export const TOKEN_PREFIX = 'flow-';

/** Length of the code that proves a token to be ours, bytes: 128 bits of HMAC-SHA256 (RFC 5626 5.2 takes 80 of HMAC-SHA1). */
const CODE_BYTES = 16;

/** Of a socket or connection that this process never had: no connection has this number. */
const NO_FLOW = -1;

/**
 * Makes and reads flow tokens: the flow itself as text, behind a code that no one can make without the key (RFC 5626 5.2). Nothing is
 * stored.
 */
export class FlowTokenCodec {
  readonly #key: Buffer;
  readonly #run: string;

  /** `run`: different at each start, so that a connection of an earlier process is not taken for one of this. */
  constructor(key: Buffer, run: string) {
    this.#key = key;
    this.#run = run;
  }

  /** The token of a flow; chars of it are A-Z, a-z, 0-9, `-` and `_`. */
  encode({ point, address, port, flow }: Received): string {
    const connection = flow === 0 ? [] : [this.#run, flow];
    const text = [point.protocol, point.port, point.address, port, address, ...connection].join(' ');
    return (
      TOKEN_PREFIX + Buffer.concat([this.#code(text), Buffer.from(text, 'latin1')]).toString('base64url')
    );
  }

  /** Where a token leads. A flow that is gone is still a flow: sending on it fails. */
  decode(token: string, points: readonly ListenPoint[]): FlowRoute {
    const bytes = Buffer.from(token.slice(TOKEN_PREFIX.length), 'base64url');
    const text = bytes.toString('latin1', CODE_BYTES);
    if (bytes.length <= CODE_BYTES || !timingSafeEqual(this.#code(text), bytes.subarray(0, CODE_BYTES)))
      return { ok: false, reason: 'a flow token that was not made here' };
    const [protocol, ownPort, own, port, address = '', run, flow] = text.split(' ');
    const point = points.find(
      (each) => each.protocol === protocol && each.port === Number(ownPort) && each.address === own,
    );
    const place = { address, port: Number(port), point, onlyFlow: true } as const;
    const isHere = point !== undefined && (run === undefined || run === this.#run);
    if (!isHere) return { ok: true, token, target: { ...place, protocol: 'tcp', flow: NO_FLOW } };
    return { ok: true, token, target: { ...place, protocol: point.protocol, flow: Number(flow ?? 0) } };
  }

  #code(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text, 'latin1').digest().subarray(0, CODE_BYTES);
  }
}
