/**
 * The unixctl commands about the log, for any command table: argument counts
 * for it to check, and functions from arguments to the text of the answer. An
 * error thrown is the answer's error; texts are stock's.
 */
import { TapflowError } from '../lib/error.ts';
import { strerror } from '../lib/strerror.ts';
import { DESTINATIONS } from './levels.ts';
import type { Vlog } from './vlog.ts';
import type { VlogModule } from './vlog-module.ts';

export interface VlogCommand {
  name: string;
  usage: string;
  minArgs: number;
  maxArgs: number;
  run(args: readonly string[]): string;
}

export function vlogCommands(vlog: Vlog): VlogCommand[] {
  const limits = (isHonoured: boolean) => (names: readonly string[]) =>
    setRateLimits(vlog, names, isHonoured);
  return [
    command('vlog/list', '', () => list(vlog)),
    command('vlog/list-pattern', '', () => listPatterns(vlog)),
    command('vlog/set', '{spec | PATTERN:destination:pattern}', (specs) => set(vlog, specs)),
    command('vlog/enable-rate-limit', '[module]...', limits(true)),
    command('vlog/disable-rate-limit', '[module]...', limits(false)),
    command('vlog/reopen', '', () => reopen(vlog)),
    command('vlog/close', '', () => done(() => vlog.closeFile())),
  ];
}

function command(name: string, usage: string, run: VlogCommand['run']): VlogCommand {
  return { name, usage, minArgs: 0, maxArgs: usage === '' ? 0 : Number.POSITIVE_INFINITY, run };
}

function done(act: () => void): string {
  act();
  return '';
}

function list(vlog: Vlog): string {
  return LEVEL_HEAD + vlog.modules().map(levelLine).join('');
}

const LEVEL_HEAD =
  '                 console    syslog    file\n                 -------    ------    ------\n';

function levelLine({ name, levels, honoursRateLimits }: VlogModule): string {
  const [console, syslog, file] = [levels.console, levels.syslog, levels.file].map((level) =>
    level.toUpperCase().padStart(4),
  );
  const remark = honoursRateLimits ? '' : '    (rate limiting disabled)';
  return `${name.padEnd(16)}  ${console}       ${syslog}       ${file}${remark}\n`;
}

function listPatterns(vlog: Vlog): string {
  const lines = DESTINATIONS.map((destination) => {
    const prefix = destination === 'syslog' ? (vlog.syslogs[0]?.prefix ?? 'none') : 'none';
    return `${destination.toUpperCase().padEnd(7)}  ${prefix.padEnd(32)}  ${vlog.patterns[destination]}\n`;
  });
  return PATTERN_HEAD + lines.join('');
}

const PATTERN_HEAD =
  '         prefix                            format\n         ------                            ------\n';

/** Those before a bad one count. */
function set(vlog: Vlog, specs: readonly string[]): string {
  for (const spec of specs.length === 0 ? [''] : specs) vlog.set(spec);
  return '';
}

function setRateLimits(vlog: Vlog, names: readonly string[], isHonoured: boolean): string {
  for (const name of names.length === 0 ? ['any'] : names) {
    const isAny = name.toLowerCase() === 'any';
    const meant = vlog
      .modules()
      .filter((module) => isAny || module.name.toLowerCase() === name.toLowerCase());
    if (meant.length === 0) throw new TapflowError('BAD_VLOG_SPEC', 'unknown module');
    for (const module of meant) module.honoursRateLimits = isHonoured;
  }
  return '';
}

function reopen(vlog: Vlog): string {
  if (!vlog.hasFile) throw new TapflowError('NO_LOG_FILE', 'Logging to file not configured');
  try {
    vlog.reopenFile();
    return '';
  } catch (cause) {
    throw new TapflowError('NO_LOG_FILE', strerror(cause), { cause });
  }
}
