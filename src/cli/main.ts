#!/usr/bin/env node
/** The `tapflow` command: one of Open vSwitch's programs, or a verb of its own. */
import { findProgram, isProgram } from './programs.ts';

const [name, ...args] = helpFirst(process.argv.slice(2));
useOwnDirectories();
const program = await findProgram(name);
if (program === undefined) {
  process.exitCode = await (await import('./verbs.ts')).runVerb(process.argv);
} else {
  const code = await program(args);
  // Not before all that it printed has been taken: a pipe may be slow, or closed.
  process.stdout.on('error', () => process.exit(code));
  process.stdout.write('', () => process.exit(code));
}

/**
 * Under tapflow's roof Open vSwitch's programs meet in tapflow's directories, those of `tapflow up`;
 * by their own names (compat/bin) in Open vSwitch's. Variables that are set count in either case.
 */
function useOwnDirectories(): void {
  process.env.OVS_RUNDIR ||= '/run/tapflow';
  process.env.OVS_DBDIR ||= '/etc/tapflow';
  process.env.OVS_LOGDIR ||= '/var/log/tapflow';
}

/** `tapflow help PROGRAM` is what `tapflow PROGRAM --help` is. */
function helpFirst(words: readonly string[]): readonly string[] {
  const [first, second] = words;
  return first === 'help' && isProgram(second) ? [second, '--help'] : words;
}
