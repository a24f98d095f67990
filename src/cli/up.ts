/** `tapflow up`: starts a switch, or hands a running one its edited topology. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CliError, isRunning } from './control.ts';
import { isBackground, runInBackground, startInBackground } from './up/background.ts';
import { serve } from './up/serve.ts';
import {
  type AppliedReport,
  applyFile,
  type SwitchOptions,
  startSwitch,
} from './up/start-switch.ts';
import { DEFAULT_STATE_DIR } from './up/switch-files.ts';
import { welcome } from './up/welcome.ts';
import { STATE_OPTION } from './verb.ts';

const HELP = `
Two daemons run: ovsdb-server, which keeps the configuration in a database, and
vswitchd, which forwards. One that crashes is started anew.

The file names bridges, ports and flows in YAML, with the columns of Open
vSwitch's database as keys; examples/ has some. The database is made to hold just
that, in one transaction. Without a file the switch is what its database says,
as "tapflow vsctl" or ovs-vsctl configured it. If a switch is already running in
this state directory, what differs in the file is applied to it while it
forwards; so does a SIGHUP. In the foreground, Ctrl-C stops the switch.

Examples:
  sudo tapflow up examples/two-hosts.yaml
  sudo tapflow up --detach net.yaml && sudo tapflow show
  sudo tapflow up --detach && sudo tapflow vsctl add-br br0`;

function threads(text: string): string {
  if (/^[1-9]\d{0,2}$/.test(text)) return text;
  throw new InvalidArgumentError('A number of threads, at least 1, was expected.');
}

interface UpOptions {
  state: string;
  workers?: string;
  backend?: string;
  detach?: boolean;
  logDir?: string;
  simulated?: boolean;
  json?: boolean;
}

export function up(program: Command): void {
  const command = program
    .command('up [file]')
    .summary('Start a switch, or apply a YAML file to the running one')
    .description('Start a switch, or apply a YAML file to the running one.')
    .option(
      STATE_OPTION,
      'where its database, sockets and pidfiles are (default: /etc/tapflow and /run/tapflow)',
      DEFAULT_STATE_DIR,
    )
    .option('--workers <n>', 'threads that forward (default: the CPUs less one)', threads)
    .addOption(
      new Option(
        '--backend <name>',
        'how devices are read and written (default: what works)',
      ).choices(['io_uring', 'plain']),
    )
    .option('--detach', 'return when the switch is up, and leave it running')
    .option('--log-dir <dir>', 'write ovsdb-server.log and ovs-vswitchd.log there')
    .option('--simulated', 'dummy ports only, without root: for trying flows')
    .option('--json', 'print JSON instead of text')
    .addHelpText('after', HELP);
  command.action(async (file: string | undefined, options: UpOptions) => {
    process.exitCode = await bringUp(file && path.resolve(file), options);
  });
}

async function bringUp(file: string | undefined, options: UpOptions): Promise<number> {
  if (file !== undefined && !existsSync(file)) {
    throw new CliError(`${file} does not exist: a YAML file with bridges and ports was expected`);
  }
  if (await isRunning(options.state)) return reapply(file, options);
  const { state, workers, backend, simulated, detach, logDir } = options;
  const settings: SwitchOptions = { file, state, workers, backend, simulated };
  if (logDir !== undefined) settings.logDir = path.resolve(logDir);
  if (isBackground()) return runInBackground(settings);
  return detach ? startDetached(options) : startHere(settings, options);
}

async function reapply(file: string | undefined, options: UpOptions): Promise<number> {
  if (file === undefined) throw new CliError(`a switch is running already in ${options.state}`);
  const ignored = ['workers', 'backend'].filter((name) => name in options);
  for (const name of ignored) {
    process.stderr.write(`tapflow: --${name} is not changed while a switch runs\n`);
  }
  const report = await applyFile(options.state, file);
  print(report, report.text, options);
  return exitCode(report);
}

async function startDetached(options: UpOptions): Promise<number> {
  const report = await startInBackground();
  print(report, await welcome(options.state, report, true), options);
  return exitCode(report);
}

async function startHere(settings: SwitchOptions, options: UpOptions): Promise<number> {
  const running = await startSwitch(settings);
  print(running.report, await welcome(options.state, running.report, false), options);
  return serve(running, settings);
}

const exitCode = ({ errors }: AppliedReport): number => (errors.length === 0 ? 0 : 1);

function print(report: AppliedReport, text: string, { json }: UpOptions): void {
  const { changes, warnings, errors } = report;
  process.stdout.write(json ? `${JSON.stringify({ changes, warnings, errors }, null, 2)}\n` : text);
}
