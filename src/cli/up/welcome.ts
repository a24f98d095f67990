/** What `tapflow up` says when the switch is up: what there is, what failed, what to do next. */
import { request } from '../control.ts';
import type { AppliedReport } from './start-switch.ts';
import { DEFAULT_STATE_DIR } from './switch-files.ts';

export async function welcome(
  state: string,
  { warnings, errors }: AppliedReport,
  isDetached: boolean,
): Promise<string> {
  const where = state === DEFAULT_STATE_DIR ? '' : ` --state ${state}`;
  const stop = isDetached ? `"tapflow down${where}" stops it` : 'Ctrl-C stops it';
  return `The switch is up; ${stop}.

${await request(state, 'show')}${warnings.map((warning) => `\nWARNING ${warning}\n`).join('')}${failures(errors)}
What it does:  tapflow ports${where}, tapflow mac${where}, tapflow flows${where}, tapflow cache${where}
Change it:     tapflow vsctl${where && ` --db=unix:${state}/db.sock`} add-port br0 eth1, or edit the file and "tapflow up${where} FILE"
`;
}

function failures(errors: AppliedReport['errors']): string {
  if (errors.length === 0) return '';
  const lines = errors.map(({ item, message }) => `  ${item}: ${message}\n`);
  return `\nThis could not be set up; the rest works:\n${lines.join('')}`;
}
