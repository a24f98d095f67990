/** What `tapflow up` says when the switch is up: what there is, what failed, what to do next. */
import { showText } from './commands/show.ts';
import type { ApplyReport, ItemError, Switch } from './switch.ts';

export interface WelcomeOptions {
  state: string;
  defaultState: string;
  detached: boolean;
}

export function welcome(
  sw: Switch,
  { warnings, errors }: ApplyReport,
  { state, defaultState, detached }: WelcomeOptions,
): string {
  const where = state === defaultState ? '' : ` --state ${state}`;
  const stop = detached ? `"tapflow down${where}" stops it` : 'Ctrl-C stops it';
  return `The switch is up; ${stop}.

${showText(sw)}${warnings.map((warning) => `\nWARNING ${warning}\n`).join('')}${failures(errors)}
What it does:  tapflow ports${where}, tapflow mac${where}, tapflow flows${where}, tapflow cache${where}
Edit the file, and "tapflow up${where} FILE" applies what changed while traffic runs.
`;
}

function failures(errors: readonly ItemError[]): string {
  if (errors.length === 0) return '';
  const lines = errors.map(({ item, message }) => `  ${item}: ${message}\n`);
  return `\nThis could not be set up; the rest works:\n${lines.join('')}`;
}
