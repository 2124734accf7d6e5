import { createHash } from 'node:crypto';
import { DEFAULT_PORT, type ServerEntry } from './server-list.ts';

/** Points of a server of average weight (libmemcached, MEMCACHED_POINTS_PER_SERVER_KETAMA). */
const POINTS_PER_SERVER = 160;

/** One MD5 gives four points of 32 bits. */
const POINTS_PER_DIGEST = 4;

/** Consistent hashing as libmemcached's weighted ketama does it, so that other clients find the same server for a key. */
export class KetamaRing {
  /** Points in ascending order. */
  readonly #points: Uint32Array;
  /** Index of the server of each point. */
  readonly #owners: Uint32Array;

  constructor(servers: readonly ServerEntry[]) {
    const points = servers.flatMap((server, owner) =>
      serverPoints(server, servers).map((point) => ({ point, owner })),
    );
    points.sort((a, b) => a.point - b.point);
    this.#points = Uint32Array.from(points, ({ point }) => point);
    this.#owners = Uint32Array.from(points, ({ owner }) => owner);
  }

  /** Index of the server that keeps `key` (one char a byte): that of the first point not below the key's hash, around the ring. */
  serverOf(key: string): number {
    const hash = pointOf(md5(key), 0);
    let low = 0;
    let high = this.#points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#points[middle] ?? 0) < hash) low = middle + 1;
      else high = middle;
    }
    return this.#owners[low === this.#points.length ? 0 : low] ?? 0;
  }
}

function serverPoints(server: ServerEntry, servers: readonly ServerEntry[]): number[] {
  const total = servers.reduce((sum, { weight }) => sum + weight, 0);
  // In single precision with this epsilon, as libmemcached: the number of points of a share that does not come out even depends on it.
  const share = Math.fround(server.weight / total);
  const digests = Math.floor(
    Math.fround(Math.fround(share * (POINTS_PER_SERVER / POINTS_PER_DIGEST)) * servers.length + 1e-10),
  );
  const name = pointName(server);
  const points: number[] = [];
  for (let i = 0; i < digests; i++) {
    const digest = md5(`${name}-${i}`);
    for (let part = 0; part < POINTS_PER_DIGEST; part++) points.push(pointOf(digest, part));
  }
  return points;
}

/** libmemcached leaves the default port out. A Unix socket has port 0 there. */
function pointName({ address }: ServerEntry): string {
  if (address.kind === 'unix') return `${address.path}:0`;
  return address.port === DEFAULT_PORT ? address.host : `${address.host}:${address.port}`;
}

function md5(bytes: string): Buffer {
  return createHash('md5').update(bytes, 'latin1').digest();
}

function pointOf(digest: Buffer, part: number): number {
  return digest.readUInt32LE(part * 4);
}
