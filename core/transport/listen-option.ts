import type { Protocol } from '../sip/hop.ts';

/** An address to listen on, as configured. */
export interface ListenOption {
  readonly protocol: Protocol;
  /** Address or host name, without brackets; `0.0.0.0` and `::` stand for every address of their family. */
  readonly host: string;
  /** 0: the system picks a free one. */
  readonly port: number;
  /** What others are told to use in place of the bound address: a name or address (no brackets needed), and a port. */
  readonly advertise?: { readonly host: string; readonly port: number } | undefined;
}

/** `udp:[::1]:5060`, for messages. */
export function printListenOption({ protocol, host, port }: ListenOption): string {
  return `${protocol}:${host.includes(':') ? `[${host}]` : host}:${port}`;
}
