/** `tapflow up`: starts a switch, or hands a running one its edited topology. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CliError, DEFAULT_STATE_DIR, isRunning, request } from './control.ts';
import { type AppliedReport, type DaemonOptions, startDaemon } from './daemon-process.ts';
import { STATE_OPTION } from './verb.ts';

const HELP = `
The file names bridges, ports and flows in YAML, with the columns of Open
vSwitch's database as keys; examples/ has some. If a switch is already running
in this state directory, what differs in the file is applied to it while it
forwards; so does a SIGHUP. In the foreground, Ctrl-C stops the switch.

Examples:
  sudo tapflow up examples/two-hosts.yaml
  sudo tapflow up --detach net.yaml && sudo tapflow show`;

function threads(text: string): string {
  if (/^[1-9]\d{0,2}$/.test(text)) return text;
  throw new InvalidArgumentError('A number of threads, at least 1, was expected.');
}

interface UpOptions {
  state: string;
  workers?: string;
  backend?: string;
  detach?: boolean;
  logFile?: string;
  simulated?: boolean;
  json?: boolean;
}

export function up(program: Command): void {
  const command = program
    .command('up <file>')
    .summary('Start a switch from a YAML file, or apply the file to the running one')
    .description('Start a switch from a YAML file, or apply the file to the running one.')
    .option(STATE_OPTION, 'where its control socket and pidfile are', DEFAULT_STATE_DIR)
    .option('--workers <n>', 'threads that forward (default: the CPUs less one)', threads)
    .addOption(
      new Option(
        '--backend <name>',
        'how devices are read and written (default: what works)',
      ).choices(['io_uring', 'plain']),
    )
    .option('--detach', 'return when the switch is up, and leave it running')
    .option('--log-file <file>', 'write a log of JSON lines')
    .option('--simulated', 'dummy ports only, without root: for trying flows')
    .option('--json', 'print JSON instead of text')
    .addHelpText('after', HELP);
  command.action(async (file: string, options: UpOptions) => {
    process.exitCode = await bringUp(path.resolve(file), options);
  });
}

async function bringUp(file: string, options: UpOptions): Promise<number> {
  if (!existsSync(file)) {
    throw new CliError(`${file} does not exist: a YAML file with bridges and ports was expected`);
  }
  return (await isRunning(options.state)) ? reapply(file, options) : start(file, options);
}

async function reapply(file: string, options: UpOptions): Promise<number> {
  const ignored = ['workers', 'backend'].filter((name) => name in options);
  for (const name of ignored) {
    process.stderr.write(`tapflow: --${name} is not changed while a switch runs\n`);
  }
  const answer = await request(options.state, 'apply', ['--json', file, readText(file)]);
  const report = JSON.parse(answer) as AppliedReport;
  print(report, options);
  return report.errors.length === 0 ? 0 : 1;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

async function start(file: string, options: UpOptions): Promise<number> {
  const daemon = await startDaemon(daemonOptions(file, options));
  print(daemon.report, options);
  if (options.detach) return daemon.report.errors.length === 0 ? 0 : 1;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => daemon.signal(name));
  }
  return daemon.exited;
}

function daemonOptions(file: string, options: UpOptions): DaemonOptions {
  const { state, workers, backend, logFile, simulated, detach } = options;
  return {
    file,
    state,
    workers,
    backend,
    simulated,
    detached: detach,
    logFile: logFile === undefined ? undefined : path.resolve(logFile),
  };
}

function print(report: AppliedReport, { json }: UpOptions): void {
  const { changes, warnings, errors } = report;
  process.stdout.write(
    json ? `${JSON.stringify({ changes, warnings, errors }, null, 2)}\n` : report.text,
  );
}
