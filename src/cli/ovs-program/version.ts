/** What --version prints: the version of Open vSwitch whose behaviour is ours, then our own. */
import { packageVersion } from '../../lib/version.ts';

/** @param rest lines that only some programs print */
export function versionText(program: string, ...rest: string[]): string {
  const lines = [`${program} (Open vSwitch) 3.1.0`, ...rest, `tapflow ${packageVersion()}`];
  return `${lines.join('\n')}\n`;
}
