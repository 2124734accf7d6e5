import { branchOf, hostOf, isResponse, viaValues } from './flow-message.ts';
import { addressOf, PlayedProxy } from './flow-proxy.ts';

const HOST = 'proxy.example.net';

/** A proxy that sends everything on. */
export function carrier(protocol: 'udp' | 'tcp' | 'tls'): Promise<PlayedProxy> {
  return PlayedProxy.start({ host: HOST, protocol });
}

/** Has the proxy carry a message between two parties, and asserts that it changes nothing but what is its own. */
export async function carry(proxy: PlayedProxy, text: string): Promise<void> {
  const beyond = withOurVia(withReceived(text));
  if (isResponse(text)) return proxy.passes(beyond, [withReceived(text)]);
  const lowered = beyond.replace(/^Max-Forwards: (\d+)/m, (_, hops) => `Max-Forwards: ${Number(hops) - 1}`);
  return proxy.passes(text, [lowered]);
}

/** A message with the address of its sender in the top Via, which the proxy or the one who answers adds. */
function withReceived(text: string): string {
  const [top = ''] = viaValues(text);
  const address = addressOf(hostOf(top));
  if (top.includes(';received=') || address === hostOf(top)) return text;
  return text.replace(/^Via: .*(?:\r\n .*)*/m, (via) => `${via};received=${address}`);
}

/** A message with a Via of ours on top; its branch follows from that below. */
function withOurVia(text: string): string {
  const [top = ''] = viaValues(text);
  const [transport = ''] = top.split(' ', 1);
  const ours = `Via: ${transport} ${HOST};branch=z9hG4bKcarried${branchOf(top)}\r\n`;
  return text.replace(/^Via: /m, (via) => ours + via);
}
