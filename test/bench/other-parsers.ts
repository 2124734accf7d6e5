import { createRequire } from 'node:module';
import { LoggerFactory } from 'sip.js/lib/core/log/logger-factory.js';
import { Parser } from 'sip.js/lib/core/messages/parser.js';

// The other packages have no types for what is used of them here: what they give is checked as it comes.
const require = createRequire(import.meta.url);
const sip: unknown = require('sip');
const jssip: unknown = require('jssip/lib/Parser');
const drachtio: unknown = require('drachtio-sip');

/** What is done with one message by a parser. Returns something that depends on the result, so that no work can be left out. */
export interface ParserTask {
  readonly name: string;
  readonly run: () => number;
}

type Unchecked = (...args: readonly unknown[]) => unknown;

function isObject(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** A function of a package. @throws when the package has none such. */
function functionOf(value: unknown, ...path: readonly string[]): Unchecked {
  const found = path.reduce<unknown>((object, name) => (isObject(object) ? object[name] : undefined), value);
  if (typeof found !== 'function') throw new Error(`the package has no ${path.join('.')} any more`);
  return (...args) => Reflect.apply(found, undefined, args);
}

/** The package `sip`: all headers parsed, one Via added, all printed. */
function sipTask(
  bytes: Buffer,
  via: { readonly host: string; readonly port: number; readonly branch: string },
): ParserTask {
  const [parse, stringify] = [functionOf(sip, 'parse'), functionOf(sip, 'stringify')];
  const { host, port, branch } = via;
  return {
    name: 'sip: parse + stringify with one Via added',
    run() {
      const message = parse(bytes.toString('latin1'));
      const headers = isObject(message) ? message['headers'] : null;
      const vias = isObject(headers) ? headers['via'] : null;
      if (!Array.isArray(vias)) throw new Error('sip found no Via');
      vias.unshift({ version: '2.0', protocol: 'UDP', host, port, params: { branch } });
      return Buffer.from(String(stringify(message)), 'latin1').length;
    },
  };
}

/** SIP.js: all headers parsed. It prints no message that it has received. */
function sipJsTask(bytes: Buffer): ParserTask {
  const logger = new LoggerFactory().getLogger('benchmark');
  return {
    name: 'SIP.js: parse',
    run: () => Parser.parseMessage(bytes.toString('latin1'), logger)?.callId.length ?? 0,
  };
}

/** JsSIP: all headers parsed. It prints no message that it has received. */
function jsSipTask(bytes: Buffer): ParserTask {
  const parse = functionOf(jssip, 'parseMessage');
  return {
    name: 'JsSIP: parse',
    run() {
      const message = parse(bytes.toString('latin1'), null);
      return isObject(message) && typeof message['call_id'] === 'string' ? message['call_id'].length : 0;
    },
  };
}

/** A message as drachtio-sip has it: headers are texts until they are asked for. */
interface DrachtioMessage {
  readonly headers: Record<string, string>;
  getParsedHeader(name: string): unknown;
  toString(): string;
}

function isDrachtioMessage(value: unknown): value is DrachtioMessage {
  return isObject(value) && isObject(value['headers']) && typeof value['getParsedHeader'] === 'function';
}

/** drachtio-sip: the headers that a relay needs parsed, one Via added, all printed. */
function drachtioTask(bytes: Buffer, via: string): ParserTask {
  const SipMessage = isObject(drachtio) ? drachtio['SipMessage'] : null;
  if (typeof SipMessage !== 'function') throw new Error('drachtio-sip has no SipMessage any more');
  return {
    name: 'drachtio-sip: parse + relay fields + print with one Via added',
    run() {
      const message: unknown = Reflect.construct(SipMessage, [bytes.toString('latin1')]);
      if (!isDrachtioMessage(message)) throw new Error('drachtio-sip took no message');
      let fields = 0;
      for (const name of ['via', 'cseq', 'from', 'to'])
        fields += message.getParsedHeader(name) === undefined ? 0 : 1;
      const { headers } = message;
      headers['via'] = `${via},${headers['via']}`;
      return fields + Buffer.from(message.toString(), 'latin1').length;
    },
  };
}

/** What the parsers of other packages do with a request that a proxy relays, each as far as it goes. */
export function otherParsers(
  bytes: Buffer,
  via: { readonly host: string; readonly port: number; readonly branch: string },
): readonly ParserTask[] {
  const text = `SIP/2.0/UDP ${via.host}:${via.port};branch=${via.branch}`;
  return [sipTask(bytes, via), drachtioTask(bytes, text), sipJsTask(bytes), jsSipTask(bytes)];
}
