/**
 * `tapflow ovsdb-server`: the server as a process (ovsdb-server(1)). It is put
 * together in service.ts, which is loaded by the process that serves alone:
 * with --detach others come before it.
 */
import { runDaemon } from '../../daemon/run.ts';
import { TapflowError } from '../../lib/error.ts';
import { versionText } from '../../lib/version.ts';
import { type Arguments, PROGRAM, parseArguments } from './options.ts';

/**
 * @param argv without the interpreter and the script
 * @returns the exit code
 */
export async function main(argv: readonly string[]): Promise<number> {
  let args: Arguments;
  try {
    args = parseArguments(argv);
  } catch (error) {
    if (!(error instanceof TapflowError)) throw error;
    process.stderr.write(`${PROGRAM}: ${error.message}\n`);
    return 1;
  }
  if (args.show !== undefined) return show(args.show);
  return runDaemon({
    program: PROGRAM,
    daemon: args.daemon,
    log: args.log,
    modules: ['jsonrpc', 'ovsdb', 'ovsdb_jsonrpc_server', 'ovsdb_server', 'reconnect'],
    isDatapath: false,
    async main(daemon) {
      const { serve } = await import('./serve.ts');
      return serve(args, daemon);
    },
  });
}

async function show(what: 'help' | 'version'): Promise<number> {
  const { helpText } = await import('./help.ts');
  process.stdout.write(what === 'help' ? helpText() : versionText(PROGRAM));
  return 0;
}
