import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { messageOf } from '../registry/shown.ts';
import { didYouMean } from '../registry/nearest.ts';
import type { ListenOption } from '../transport/listen-option.ts';
import type { BuiltinModules, Sources } from './assemble.ts';
import type { Rehearsal } from './warm-up.ts';
import { expectedListen, parseListen } from './listen-address.ts';

const USAGE = `kamaiki: a SIP proxy

usage: kamaiki [-f FILE] [-l ADDRESS]...          run the proxy
       kamaiki -c [-f FILE]                       check configuration and routes
       kamaiki modules [NAME] [-f FILE]           what modules there are, or what one exports
       kamaiki schema [-f FILE]                   JSON schema of the configuration file
       kamaiki call [--to URI] [--proxy HOST:PORT] [-f FILE]
                                                  place a call through the running proxy, over UDP and IPv4

  -f FILE      configuration file (./kamailio.yaml)
  -c           check the configuration and the routes, then exit with 0 or 1
  -l ADDRESS   listen here instead, such as udp:127.0.0.1:5060; may be repeated
  -h           this text
  -v           version

exit codes: 0 clean stop, 1 configuration or start error, 2 wrong usage
signals: SIGTERM and SIGINT stop, SIGHUP reloads routes and certificates and reopens the log file
`;

const OPTIONS = {
  file: { type: 'string', short: 'f', default: './kamailio.yaml' },
  check: { type: 'boolean', short: 'c', default: false },
  listen: { type: 'string', short: 'l', multiple: true, default: [] as string[] },
  help: { type: 'boolean', short: 'h', default: false },
  version: { type: 'boolean', short: 'v', default: false },
  to: { type: 'string' },
  proxy: { type: 'string' },
} as const;

const COMMANDS = ['modules', 'schema', 'call'] as const;

/** Exit code of wrong usage. */
const WRONG_USAGE = 2;

/** A mistake on the command line. */
class UsageError extends Error {}

/** What the build brings. */
export interface Build {
  readonly modules: BuiltinModules;
  readonly rehearsal: () => Promise<Rehearsal>;
}

/** Does what the command line says. Returns the exit code. */
export async function main(args: readonly string[], build: Build): Promise<number> {
  try {
    return await dispatch(parse(args), build);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`kamaiki: ${error.message}\nkamaiki -h tells how it is used\n`);
    return WRONG_USAGE;
  }
}

type CommandLine = ReturnType<typeof parse>;

function parse(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    const [word, ...operands] = positionals;
    return { values, command: word === undefined ? null : commandOf(word), operands };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(messageOf(error));
  }
}

function commandOf(word: string): (typeof COMMANDS)[number] {
  const command = COMMANDS.find((name) => name === word);
  if (command === undefined) throw new UsageError(`no command named '${word}'${didYouMean(word, COMMANDS)}`);
  return command;
}

async function dispatch(
  { values, command, operands }: CommandLine,
  { modules: builtin, rehearsal }: Build,
): Promise<number> {
  if (values.help) return print(USAGE);
  if (values.version) return print(`kamaiki ${version()} (Node.js ${process.version})\n`);
  const [surplus] = command === 'modules' ? operands.slice(1) : operands;
  if (surplus !== undefined) throw new UsageError(`'${surplus}' is one argument too many`);
  if (command !== 'call' && (values.to ?? values.proxy) !== undefined)
    throw new UsageError('--to and --proxy belong to the command call');

  const listen = values.listen.map(listenOption);
  const sources: Sources = { file: values.file, environment: process.env, builtin, listen };
  if (command === 'modules')
    return (await import('./module-listing.ts')).listModules(operands[0] ?? null, sources);
  if (command === 'schema') return print(await schema(sources));
  if (command === 'call') return (await import('./call.ts')).call(sources, values);
  const { check, run } = await import('./run.ts');
  return values.check ? check(sources) : run(sources, rehearsal);
}

async function schema(sources: Sources): Promise<string> {
  const [{ schemaText }, { modulesThereAre }] = await Promise.all([
    import('./schema-text.ts'),
    import('./module-listing.ts'),
  ]);
  return schemaText(await modulesThereAre(sources));
}

function listenOption(text: string): ListenOption {
  const option = parseListen(text);
  if (option === null) throw new UsageError(`-l ${text}: expected ${expectedListen(text)}`);
  return option;
}

function version(): string {
  const manifest: { readonly version: string } = createRequire(import.meta.url)('kamaiki/package.json');
  return manifest.version;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
