/** The log of ovs-appctl, which is loaded when there is something for it. */
import { TapflowError } from '../../lib/error.ts';

export type Warn = (module: string, text: string) => Promise<void>;

/**
 * @param verbose the values of -v
 * @throws TapflowError USAGE
 */
export async function warnings(
  program: string,
  verbose: readonly string[],
  writeConsole: (text: string) => void,
): Promise<Warn> {
  const open = async () => {
    const { Vlog } = await import('../../daemon/vlog.ts');
    const vlog = new Vlog({ program, modules: MODULES, writeConsole });
    for (const spec of verbose) set(vlog, spec);
    return vlog;
  };
  if (verbose.length > 0) await open();
  let opened: ReturnType<typeof open> | undefined;
  return async (module, text) => {
    opened ??= open();
    (await opened).module(module).warn(text);
  };
}

/** That -v may name. */
const MODULES: readonly string[] = ['daemon_unix', 'fatal_signal', 'jsonrpc', 'unixctl', 'util'];

function set(vlog: { set(spec: string): void }, spec: string): void {
  try {
    vlog.set(spec);
  } catch (cause) {
    throw new TapflowError('USAGE', `processing "${spec}": ${(cause as Error).message}`, { cause });
  }
}
