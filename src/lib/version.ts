/** What versions our programs tell of. */
import { readFileSync } from 'node:fs';

/** The release of Open vSwitch whose behaviour, protocols and files are ours. */
export const OVS_VERSION = '3.1.0';

/** What stock's program of this name prints first of itself, without the line's end. */
export const versionLine = (program: string): string => `${program} (Open vSwitch) ${OVS_VERSION}`;

/**
 * What --version prints: Open vSwitch's version, then our own.
 *
 * @param rest lines between them that only some programs print
 */
export function versionText(program: string, ...rest: string[]): string {
  const lines = [versionLine(program), ...rest, `tapflow ${packageVersion()}`];
  return `${lines.join('\n')}\n`;
}

/** From our package.json: two folders up, from src/ as from dist/. */
export function packageVersion(): string {
  const url = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version;
}
