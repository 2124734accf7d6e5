import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { Child, type Exit } from './child.ts';
import { freePort } from './free-port.ts';
import { acceptsTcp, isTcpPortListening } from './ports.ts';
import { tempFolder } from './temp-folder.ts';

const SAMPLES_PER_S = 8_000;

/** What baresip tells about a call, by the names of its events. */
export type CallEvent =
  | 'CALL_RINGING'
  | 'CALL_INCOMING'
  | 'CALL_ESTABLISHED'
  | 'CALL_CLOSED'
  | 'CALL_PROGRESS';

export interface BaresipOptions {
  readonly user: string;
  readonly protocol: 'udp' | 'tcp' | 'tls';
  /** URI of the proxy that it sends all its requests to. */
  readonly outbound: string;
  /** PEM files, for TLS: its certificate with its key behind it, and the authorities that it trusts. */
  readonly certificateFile?: string;
  readonly caFile?: string;
}

export interface Baresip {
  /** Its address, with the port that it takes calls on by its protocol. */
  readonly uri: string;
  /** Runs one of its commands, such as `dial` with a URI, `accept` and `hangup`. */
  command(name: string, parameter?: string): void;
  /** The parameter of the first such event that has not been waited for; waits until there is one. */
  waitFor(event: CallEvent): Promise<string>;
  /** Its log, with every message sent and received. */
  trace(): string;
  /** Waits until its log has a line that matches. */
  waitForTrace(pattern: RegExp): Promise<string>;
  stop(): Promise<Exit>;
}

/** Takes netstrings (`LENGTH:BYTES,`) out of what a connection receives. */
function readNetstrings(socket: Socket, take: (text: string) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const colon = rest.indexOf(':');
      const end = colon + 1 + Number(rest.toString('latin1', 0, colon));
      if (colon === -1 || rest.length <= end) return;
      take(rest.toString('utf8', colon + 1, end));
      rest = rest.subarray(end + 1);
    }
  });
}

/** Sound of 60 s as a WAV file: 16 bit, mono. */
function silence(): Buffer {
  const file = Buffer.alloc(44 + 60 * 2 * SAMPLES_PER_S);
  file.write('RIFF....WAVEfmt ', 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  // The size of the format, PCM, channels, samples and bytes per second, bytes and bits of a sample.
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(SAMPLES_PER_S, 24);
  file.writeUInt32LE(2 * SAMPLES_PER_S, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(file.length - 44, 40);
  return file;
}

/** A free port with a free one behind it, which baresip takes for TLS. */
async function freePortPair(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (!isTcpPortListening(port + 1)) return port;
  }
}

interface ReportedEvent {
  readonly type: string;
  readonly param: string;
}

/** An event among the reports of baresip; null for the answer to a command. */
function parseReport(text: string): ReportedEvent | null {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('type' in value)) return null;
  return { type: String(value.type), param: 'param' in value ? String(value.param) : '' };
}

/** Starts the user agent baresip on 127.0.0.1, without registration, with silence as its voice; waits until it can be commanded. */
export async function startBaresip(options: BaresipOptions): Promise<Baresip> {
  const { user, protocol, outbound, certificateFile, caFile } = options;
  const folder = tempFolder();
  const [port, controlPort] = [await freePortPair(), await freePort()];
  const voice = join(folder, 'voice.wav');
  writeFileSync(voice, silence());
  const configuration = `
net_interface 127.0.0.1
sip_listen 127.0.0.1:${port}
${certificateFile === undefined ? '' : `sip_certificate ${certificateFile}`}
${caFile === undefined ? '' : `sip_cafile ${caFile}`}
audio_source aufile,${voice}
ausrc_srate ${SAMPLES_PER_S}
ausrc_channels 1
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:${controlPort}
`;
  writeFileSync(join(folder, 'config'), configuration);
  writeFileSync(
    join(folder, 'accounts'),
    `<sip:${user}@127.0.0.1:${port};transport=${protocol}>;regint=0;outbound="${outbound}"\n`,
  );
  writeFileSync(join(folder, 'contacts'), '');
  const child = new Child('baresip', ['-f', folder, '-s'], { cwd: folder });
  await child.until(`connection on port ${controlPort}`, () => acceptsTcp(controlPort));
  const events: ReportedEvent[] = [];
  const control = connect(controlPort, '127.0.0.1');
  // Ends with baresip; a command that is lost by that shows in the event that does not come.
  control.on('error', () => {});
  readNetstrings(control, (text) => {
    const event = parseReport(text);
    if (event !== null) events.push(event);
  });
  return {
    // For TLS baresip takes the port after the one it is told.
    uri: `sip:${user}@127.0.0.1:${protocol === 'tls' ? port + 1 : port};transport=${protocol}`,
    command: (name, parameter = '') => {
      const text = JSON.stringify({ command: name, params: parameter });
      control.write(`${text.length}:${text},`);
    },
    waitFor: (type) =>
      child.until(`event ${type}`, () => {
        const index = events.findIndex((event) => event.type === type);
        return index === -1 ? null : (events.splice(index, 1)[0]?.param ?? null);
      }),
    trace: () => [...child.out, ...child.err].join('\n'),
    waitForTrace: (pattern) =>
      child.until(
        `line ${pattern}`,
        () => [...child.out, ...child.err].find((line) => pattern.test(line)) ?? null,
      ),
    stop: async () => {
      control.destroy();
      return child.stop();
    },
  };
}
