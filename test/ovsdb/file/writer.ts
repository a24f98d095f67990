/** The child of writer.js: what it acknowledged, and its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('writer.js', import.meta.url));

export class Writer {
  readonly acknowledged: number[] = [];
  /** Codes of appends that were refused. */
  readonly failures: string[] = [];
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #errors = '';

  /** @param fileSize bytes that a file may have, for it; it can be told another limit */
  constructor(file: string, fileSize?: number) {
    const command = [process.execPath, SCRIPT, file];
    const limit = fileSize === undefined ? [] : ['prlimit', `--fsize=${fileSize}:`];
    const [program, ...args] = [...limit, ...command];
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#closed = once(this.#child, 'close');
    this.#child.stderr?.on('data', (text) => {
      this.#errors += text;
    });
    if (this.#child.stdout) {
      createInterface(this.#child.stdout).on('line', (line) => this.#take(line));
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Polls until something is so. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#errors !== '' || this.#child.exitCode !== null) throw new Error(this.#errors);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  tryAgain(): void {
    this.#child.stdin?.write('\n');
  }

  /** Ends it at once; when this resolves, all that it said has been heard. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  #take(line: string): void {
    const [, code] = /^failed (\w+)$/.exec(line) ?? [];
    if (code === undefined) this.acknowledged.push(Number(line));
    else this.failures.push(code);
  }
}
