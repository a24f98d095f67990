/** Commands about the process itself: `version`, `apply` and `exit`. */
import type { Command } from '../../unixctl/command-table.ts';
import type { ApplyReport } from '../switch.ts';
import { report } from './report.ts';

export interface ProcessControl {
  version: string;
  /** Reads a topology file's text and applies it. @throws TapflowError that names line and column */
  apply(fileName: string, text: string): Promise<ApplyReport>;
  /** Resolves when the switch has stopped and cleared away what it made. */
  stop(): Promise<void>;
}

export function processCommands({ version, apply, stop }: ProcessControl): Command[] {
  return [
    { name: 'version', usage: '', minArgs: 0, maxArgs: 0, run: () => `tapflow ${version}\n` },
    report({
      name: 'apply',
      usage: 'file-name yaml-text',
      minArgs: 2,
      maxArgs: 2,
      async value([fileName, text]) {
        const applied = await apply(fileName, text);
        return { ...applied, text: reportText(applied) };
      },
      text: (applied) => applied.text,
    }),
    {
      name: 'exit',
      usage: '[--cleanup]',
      minArgs: 0,
      maxArgs: 1,
      async run() {
        await stop();
        return '';
      },
    },
  ];
}

/** In plain words: what was done, then what could not be. */
export function reportText({ changes, warnings, errors }: ApplyReport): string {
  const done = changes.length === 0 ? ['Nothing to change.'] : changes;
  const warned = warnings.map((warning) => `WARNING ${warning}`);
  const failed = errors.map(({ item, message }) => `ERROR ${item}: ${message}`);
  return [...done, ...warned, ...failed].map((line) => `${line}\n`).join('');
}
