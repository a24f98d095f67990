/**
 * Open vSwitch's programs under tapflow's roof. Each takes its command line as
 * Open vSwitch's does, so commander has no part in it; each is loaded when it
 * is called, since what is not loaded takes no time.
 */

/** @returns the exit code. @param argv without the interpreter, the script and the program's name */
export type Program = (argv: readonly string[]) => Promise<number>;

/** @param name as in `tapflow NAME` or, for compat/bin, as Open vSwitch calls it */
export async function findProgram(name: string | undefined): Promise<Program | undefined> {
  switch (name) {
    case 'ovsdb-server':
      return (await import('../ovsdb/server/program.ts')).main;
    case 'vswitchd':
    case 'ovs-vswitchd':
      return (await import('../vswitchd/program.ts')).main;
    case 'vsctl':
    case 'ovs-vsctl':
      return (await import('./vsctl/program.ts')).main;
    case 'ovsdb-client':
      return (await import('./ovsdb-client/program.ts')).main;
    case 'appctl':
    case 'ovs-appctl':
      return (await import('./appctl/program.ts')).main;
    default:
      return undefined;
  }
}

export const isProgram = (name: string): boolean => PROGRAMS_HELP.includes(`\n  ${name} `);

/** For `tapflow help`. */
export const PROGRAMS_HELP = `
Open vSwitch's programs, with its options (--help lists them):
  vsctl            configure the switch, as ovs-vsctl
  appctl           talk to a daemon's control socket, as ovs-appctl
  ovsdb-client     talk to the database, as ovsdb-client
  ovsdb-server     the daemon that keeps the database
  vswitchd         the daemon that forwards, as ovs-vswitchd
`;
