/**
 * A daemon of no use but to be started, stopped and killed by tests: it has a
 * control socket with the log's commands, and options to fail in each way.
 *
 *   --fail=MESSAGE    does not start, and says why
 *   --exit=CODE       does not start, and says nothing
 *   --die=SIGNAL      does not start: a signal ends it
 *   --slow=MS         takes that long to start
 */
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { controlSocketPath } from '../../dist/daemon/directories.js';
import { parseDaemonArguments } from '../../dist/daemon/options.js';
import { runDaemon } from '../../dist/daemon/run.js';

const PROGRAM = 'sampled';
const OWN = ['fail', 'exit', 'die', 'slow'].map((name) => ({ name, argument: 'required' }));

const args = parseDaemonArguments(PROGRAM, process.argv.slice(2), OWN);
const own = Object.fromEntries(args.own.map(({ name, value }) => [name, value]));
process.exit(
  await runDaemon({ program: PROGRAM, ...args, modules: ['sample'], isDatapath: true, main }),
);

async function main(daemon) {
  if (own.slow) await setTimeout(Number(own.slow));
  if (own.fail) await fail(own.fail);
  if (own.exit) return Number(own.exit);
  if (own.die) process.kill(process.pid, own.die);
  const server = await listen(daemon);
  const log = daemon.vlog.module('sample');
  log.info('up');
  await daemon.ready();
  log.info('ready');
  if (!daemon.stopping.aborted) await once(daemon.stopping, 'abort');
  await server.close();
  return 0;
}

async function fail(message) {
  const { TapflowError } = await import('../../dist/lib/error.js');
  throw new TapflowError('SAMPLE', message);
}

async function listen(daemon) {
  const { commandTable } = await import('../../dist/unixctl/command-table.js');
  const { openUnixctlServer } = await import('../../dist/unixctl/server.js');
  const { vlogCommands } = await import('../../dist/daemon/vlog-commands.js');
  const { RateLimit } = await import('../../dist/daemon/rate-limit.js');
  const limit = new RateLimit(1, 2);
  const own = {
    exit: () => daemon.stop(),
    // What nobody catches.
    bug: () => process.nextTick(() => JSON.parse('{')),
    say: ([level, text]) => daemon.vlog.module('sample').log(level, text),
    'say-limited': ([text]) => daemon.vlog.module('sample').warn(text, limit),
    cwd: () => process.cwd(),
  };
  const commands = Object.entries(own).map(([name, run]) => ({
    ...{ name, usage: '', minArgs: 0, maxArgs: 9 },
    run: (words) => String(run(words) ?? ''),
  }));
  const path = controlSocketPath(PROGRAM, args.daemon.unixctl);
  return openUnixctlServer(path, commandTable([...vlogCommands(daemon.vlog), ...commands]));
}
