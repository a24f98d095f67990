/** The command `apply`: a topology file's text, for `tapflow up`. */
import type { Command } from '../../unixctl/command-table.ts';
import type { ApplyReport } from '../switch.ts';
import { report } from './report.ts';

/** @param apply throws TapflowError that names line and column, when nothing was changed */
export function applyCommand(
  apply: (fileName: string, text: string) => Promise<ApplyReport>,
): Command {
  return report({
    name: 'apply',
    usage: 'file-name yaml-text',
    minArgs: 2,
    maxArgs: 2,
    async value([fileName, text]) {
      const applied = await apply(fileName, text);
      return { ...applied, text: reportText(applied) };
    },
    text: (applied) => applied.text,
  });
}

/** In plain words: what was done, then what could not be. */
export function reportText({ changes, warnings, errors }: ApplyReport): string {
  const done = changes.length === 0 ? ['Nothing to change.'] : changes;
  const warned = warnings.map((warning) => `WARNING ${warning}`);
  const failed = errors.map(({ item, message }) => `ERROR ${item}: ${message}`);
  return [...done, ...warned, ...failed].map((line) => `${line}\n`).join('');
}
