/**
 * Plays a page: writes its files and types its commands as a reader would, in
 * order, and tells what each printed. A page's files are its yaml blocks that
 * begin with a comment with their name; its commands stand in console blocks,
 * after `$ `, with what they print below.
 *
 * Network, mounts and processes are the page's own, so that its names cannot
 * meet others, and nothing outlives it. `sudo` and `tapflow` are found on the
 * path whether or not this machine has them.
 */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CLI } from '../system/requirements.ts';
import type { Block, Page } from './pages.ts';

interface Played {
  command: string;
  /** What the page says it prints, line by line. */
  shown: string[];
  /** Undefined: not run, since this machine lacks the tool. */
  printed: string[] | undefined;
}

export async function play(page: Page): Promise<Played[]> {
  const home = mkdtempSync(path.join(tmpdir(), 'tapflow-docs-'));
  const isMade = mkdirSync(DATABASES, { recursive: true }) !== undefined;
  try {
    mkdirSync(path.join(home, 'bin'));
    putOnPath(home, 'tapflow', `exec ${process.execPath} ${CLI} "$@"`);
    putOnPath(home, 'sudo', 'exec env "$@"');
    const steps = page.blocks.flatMap(stepsOf);
    writeFileSync(path.join(home, 'script'), script(home, steps));
    return results(steps, await run(home));
  } finally {
    rmSync(home, { recursive: true });
    if (isMade) rmdirSync(DATABASES);
  }
}

/** The page has one of its own. */
const DATABASES = '/etc/tapflow';

type Step = { file: string; text: string } | { command: string; shown: string[] };

function stepsOf({ language, text }: Block): Step[] {
  const named = /^# (\S+\.yaml)\n/.exec(text);
  if (language === 'yaml' && named !== null) return [{ file: named[1], text }];
  if (language !== 'console') return [];
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command, ...shown] = part.trimEnd().split('\n');
      return { command, shown };
    });
}

function putOnPath(home: string, name: string, line: string): void {
  const file = path.join(home, 'bin', name);
  writeFileSync(file, `#!/bin/sh\n${line}\n`);
  chmodSync(file, 0o755);
}

/** Separates what one command prints from the next. */
const MARK = '=== step';
const LEFT_OUT = '=== left out';
/** Tools that a machine may lack. */
const OPTIONAL = ['ovs-appctl', 'curl'];

function script(home: string, steps: Step[]): string {
  const lines = steps.map((step) =>
    'file' in step ? `cat > ${step.file} <<'END'\n${step.text}END` : guarded(step.command),
  );
  return [
    `export PATH=${path.join(home, 'bin')}:$PATH`,
    'mount -t tmpfs tmpfs /run',
    `mount -t tmpfs tmpfs ${DATABASES}`,
    'ip link set lo up',
    `mkdir ${home}/work && cd ${home}/work`,
    ...lines,
    '',
  ].join('\n');
}

function guarded(command: string): string {
  const needed = OPTIONAL.filter((tool) => command.includes(tool));
  const test = ['true', ...needed.map((tool) => `command -v ${tool} >/dev/null`)].join(' && ');
  return `echo '${MARK}'\nif ${test}; then\n${command}\nelse echo '${LEFT_OUT}'; fi`;
}

const UNSHARE = ['--net', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];

function run(home: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const command = `bash ${path.join(home, 'script')} 2>&1`;
    const options = { timeout: 90_000, killSignal: 'SIGKILL' } as const;
    execFile('unshare', [...UNSHARE, 'bash', '-c', command], options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${error.message}\n${stdout}`));
    });
  });
}

function results(steps: Step[], output: string): Played[] {
  const outputs = output.split(`${MARK}\n`).slice(1);
  return steps
    .filter((step) => 'command' in step)
    .map((step, n) => ({ ...step, printed: printedBy(outputs[n] ?? '') }));
}

function printedBy(output: string): string[] | undefined {
  return output.includes(LEFT_OUT) ? undefined : output.trimEnd().split('\n');
}
