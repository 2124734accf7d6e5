import { Endpoint, isGood, routesOf } from './endpoint.ts';

// A process of its own that makes so many calls in all, each proxy having its turn, and prints how many were good:
//   call-count-process.js CALLS PORT...

/** Callers that call all the time. */
const CALLERS = 16;
/** How often a request is sent before its call is no good. */
const TRIES = 20;

const [calls = 0, ...proxies] = process.argv.slice(2).map(Number);
const endpoint = await Endpoint.open(({ answer }) => answer('200 OK'));
let made = 0;
let good = 0;

function complain(port: number, text: string): void {
  process.stderr.write(`port ${port}: ${text === '' ? 'no answer' : text}\n`);
}

async function caller(): Promise<void> {
  while (made < calls) {
    const number = made++;
    const port = proxies[number % proxies.length] ?? 0;
    const id = `count-${process.pid}-${number}`;
    const call = { id, user: 'callee' };
    const invite = { ...call, method: 'INVITE', branch: `z9hG4bK${id}` } as const;
    const text = await endpoint.ask(port, invite, TRIES);
    if (!isGood(text)) {
      complain(port, text);
      continue;
    }
    const routes = routesOf(text);
    endpoint.send(port, { ...call, method: 'ACK', branch: `z9hG4bK${id}ack`, routes });
    const bye = { ...call, method: 'BYE', branch: `z9hG4bK${id}bye`, routes } as const;
    const end = await endpoint.ask(port, bye, TRIES);
    if (isGood(end)) good++;
    else complain(port, end);
  }
}
await Promise.all(Array.from({ length: CALLERS }, caller));
endpoint.close();
process.stdout.write(`${good}\n`);
