/**
 * `ovsdb-client`: a client of OVSDB servers for the command line, as
 * ovsdb-client(1) describes it. What is not there: `convert`, clusters,
 * --bootstrap-ca-cert, --ssl-protocols, --ssl-ciphers, --record and --replay.
 *
 *   argv --options, command--> [daemon] --server--> [database] --> the command
 *
 * With options of daemons (--detach, --pidfile ...) a command that lasts runs
 * in the process that src/daemon makes for it.
 */
import type { DaemonArguments } from '../../daemon/options.ts';
import type { DaemonProcess } from '../../daemon/run.ts';
import { Vlog } from '../../daemon/vlog.ts';
import { TapflowError } from '../../lib/error.ts';
import { OvsdbError } from '../../ovsdb/data/ovsdb-error.ts';
import { connectStream } from '../../ovsdb/rpc/connect.ts';
import { isPassive, parseRemote } from '../../ovsdb/rpc/remote.ts';
import { type Output, processOutput } from '../ovs-program/output.ts';
import { endAfter, endBySignals } from '../ovs-program/signals.ts';
import { type Arguments, MODULES, PROGRAM, parseArguments } from './arguments.ts';
import { type Command, Context } from './command.ts';
import { COMMANDS } from './commands.ts';
import { connectServer, type Server } from './server.ts';

/** @param argv without the interpreter and the script. @returns the exit code */
export async function main(
  argv: readonly string[],
  output: Output = processOutput,
): Promise<number> {
  const vlog = new Vlog({ program: PROGRAM, modules: MODULES, writeConsole: output.printError });
  try {
    const args = parseArguments(argv, vlog);
    const warn = (text: string) => vlog.module('fatal_signal').warn(text);
    if (args.timeout !== undefined) endAfter(args.timeout, '-t or --timeout', warn);
    return await run(args, vlog, output);
  } catch (error) {
    if (!(error instanceof TapflowError || error instanceof OvsdbError)) throw error;
    output.printError(`${PROGRAM}: ${errorText(error)}\n`);
    return 1;
  }
}

function errorText(error: TapflowError | OvsdbError): string {
  if (!(error instanceof OvsdbError) || error.syntax === undefined) return error.message;
  return `syntax "${error.syntax}": ${error.message}`;
}

async function run(args: Arguments, vlog: Vlog, output: Output): Promise<number> {
  const [name, ...rest] = args.daemon.positionals;
  if (args.shows === 'version') return await showVersion(output);
  if (args.shows === 'help' || name === 'help') return await showHelp(output);
  if (name === undefined) throw usage('missing command name; use --help for help');
  const command = COMMANDS.find((each) => each.name === name);
  if (command?.isLasting && isDaemon(args.daemon)) {
    return await runAsDaemon({ command, words: rest, args, output });
  }
  if (output === processOutput) endBySignals((text) => vlog.module('fatal_signal').warn(text));
  if (args.daemon.log.file !== undefined) vlog.openFile(args.daemon.log.file);
  if (name === 'wait') return await wait(rest, args, vlog);
  if (command === undefined) throw usage(`unknown command '${name}'; use --help for help`);
  return await carryOut({ command, words: rest, args, output }, vlog, undefined);
}

interface Call {
  command: Command;
  /** Behind the command's name. */
  words: readonly string[];
  args: Arguments;
  output: Output;
}

function isDaemon({ daemon }: DaemonArguments): boolean {
  const { detach, monitor, pidfile, user } = daemon;
  return detach || monitor || pidfile !== undefined || user !== undefined;
}

async function runAsDaemon(call: Call): Promise<number> {
  const { runDaemon } = await import('../../daemon/run.ts');
  const { daemon, log } = call.args.daemon;
  return await runDaemon({
    ...{ program: PROGRAM, daemon, log, modules: MODULES },
    isDatapath: false,
    keepsOutput: true,
    main: async (process) => {
      try {
        return await carryOut(call, process.vlog, process);
      } catch (error) {
        throw error instanceof OvsdbError ? usage(errorText(error)) : error;
      }
    },
  });
}

/** SERVER and DATABASE may be left out: which of the words they are, stock guesses like this. */
async function carryOut(
  { command, words, args, output }: Call,
  vlog: Vlog,
  background: DaemonProcess | undefined,
): Promise<number> {
  const isRemote = (word: string): boolean => /^[a-z].*:/i.test(word);
  const { minArgs, maxArgs } = command;
  const hasRemote = words.length > minArgs && isRemote(words[0]);
  const remote = hasRemote ? words[0] : `unix:${args.server.runDir}/db.sock`;
  const behindRemote = hasRemote ? words.slice(1) : words;
  const server = await connectServer(remote, args.server);
  try {
    const database =
      command.needs === 'database' ? await databaseOf(server, command, behindRemote) : undefined;
    const own = database?.isNamed ? behindRemote.slice(1) : behindRemote;
    if (own.length < minArgs || own.length > maxArgs) throw badSyntax(command.name);
    const context = new Context({
      ...{ server, args: own, vlog, background },
      database: database?.name ?? '',
      options: args.client,
      daemon: args.daemon,
      print: output.print,
    });
    const handler = await command.handler();
    return (await handler(context)) ?? 0;
  } finally {
    server.close();
  }
}

async function databaseOf(
  server: Server,
  { name, minArgs }: Command,
  words: readonly string[],
): Promise<{ name: string; isNamed: boolean }> {
  const databases = await server.databases();
  if (words.length > minArgs && databases.includes(words[0])) {
    return { name: words[0], isNamed: true };
  }
  const only = databases.length === 1 ? databases[0] : DEFAULT_DATABASE;
  if (databases.includes(only)) return { name: only, isNamed: false };
  throw usage(`no default database for \`${name}' command, please specify a database name`);
}

const DEFAULT_DATABASE = 'Open_vSwitch';

async function wait(words: readonly string[], args: Arguments, vlog: Vlog): Promise<number> {
  if (words.length < 2 || words.length > 3) throw badSyntax('wait');
  const [database, state] = words.slice(-2);
  const text = words.length === 3 ? words[0] : `unix:${args.server.runDir}/db.sock`;
  const remote = parseRemote(text, args.server.runDir);
  if (isPassive(remote)) throw usage(`${text}: wait needs a server to connect to`);
  const { waitForState } = await import('./wait.ts');
  const open = (signal: AbortSignal) => connectStream(remote, { signal, tls: args.server.tls });
  await waitForState({ remote: text, open, database, state, vlog });
  return 0;
}

async function showVersion(output: Output): Promise<number> {
  const { versionText } = await import('../../lib/version.ts');
  output.print(versionText(PROGRAM));
  return 0;
}

async function showHelp(output: Output): Promise<number> {
  const { helpText } = await import('./help.ts');
  output.print(helpText());
  return 0;
}

const badSyntax = (command: string): TapflowError =>
  usage(`invalid syntax for '${command}' (use --help for help)`);

const usage = (message: string): TapflowError => new TapflowError('USAGE', message);
