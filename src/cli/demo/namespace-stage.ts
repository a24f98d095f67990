/**
 * The demo's stage of real network namespaces: the switch is a `tapflow up` of
 * its own, traffic comes from `ping` and from traffic.ts run inside them.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CliError } from '../control.ts';
import { startSwitch } from '../up/start-switch.ts';
import { type Actor, addressOf, CAST, type Exchange, SERVICE_PORT, type Stage } from './stage.ts';
import { topology } from './topology.ts';

/** @throws CliError that says exactly what was refused; nothing is left behind then */
export async function openNamespaceStage(): Promise<Stage> {
  const state = mkdtempSync(path.join(tmpdir(), `tapflow-demo-${process.pid}-`));
  const stage = new NamespaceStage(state);
  try {
    await stage.open();
    return stage;
  } catch (error) {
    await stage.close();
    throw error;
  }
}

/** How long TCP sends. */
const TCP_MS = 2000;
const TRAFFIC = fileURLToPath(new URL('./traffic.js', import.meta.url));

class NamespaceStage implements Stage {
  readonly setting = 'three network namespaces, TAP ports, real traffic';
  readonly timed = true;
  readonly state: string;
  readonly #children = new Set<ChildProcess>();
  #stop: () => Promise<unknown> = async () => undefined;

  constructor(state: string) {
    this.state = state;
  }

  async open(): Promise<void> {
    const file = path.join(this.state, 'demo.yaml');
    writeFileSync(file, topology(netnsOf));
    const running = await startSwitch({ file, state: this.state });
    this.#stop = () => {
      running.stop();
      return running.exited;
    };
    // What refuses one port refuses all: the first reason will do.
    const [error] = running.report.errors;
    if (error !== undefined) throw new CliError(`${error.item}: ${error.message}`);
    await Promise.all(CAST.map(({ name }) => this.#traffic(name, ['ready', addressOf(name)])));
  }

  async ping(from: Actor, to: Actor, count: number): Promise<Exchange> {
    const args = ['-n', '-q', '-c', String(count), '-i', '0.1', '-W', '1', addressOf(to)];
    const text = await this.#inside(from, 'ping', args, 'ping (package iputils-ping)');
    const [, answered = '0'] = /(\d+) (?:packets )?received/.exec(text) ?? [];
    const [, average] = /= [\d.]+\/([\d.]+)\//.exec(text) ?? [];
    return {
      asked: count,
      answered: Number(answered),
      rttMs: average === undefined ? undefined : Number(average),
    };
  }

  async udp(from: Actor, to: Actor, count: number): Promise<Exchange> {
    const args = ['udp-ask', addressOf(to), String(SERVICE_PORT), String(count)];
    return this.#asServed(to, 'udp-answer', () => this.#traffic(from, args)) as Promise<Exchange>;
  }

  async tcp(from: Actor, to: Actor): Promise<{ bytes: number; seconds: number }> {
    if (await hasIperf()) return this.#iperf(from, to);
    const args = ['tcp-send', addressOf(to), String(SERVICE_PORT), String(TCP_MS)];
    return this.#asServed(to, 'tcp-receive', () => this.#traffic(from, args)) as Promise<{
      bytes: number;
      seconds: number;
    }>;
  }

  /** The usual yardstick, where it is installed: it costs less of the CPU that it shares with the switch. */
  async #iperf(from: Actor, to: Actor): Promise<{ bytes: number; seconds: number }> {
    const server = this.#spawn(to, 'iperf3', [
      '-s',
      '-1',
      '--forceflush',
      '-p',
      String(SERVICE_PORT),
    ]);
    try {
      await new Promise((resolve) => server.stdout?.once('data', resolve));
      const args = [
        '-c',
        addressOf(to),
        '-p',
        String(SERVICE_PORT),
        '-t',
        String(TCP_MS / 1000),
        '-J',
      ];
      const result = JSON.parse(await this.#inside(from, 'iperf3', args, 'iperf3')) as IperfResult;
      return result.end.sum_received;
    } finally {
      server.kill('SIGKILL');
    }
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await this.#stop();
    rmSync(this.state, { recursive: true, force: true });
  }

  /** Runs one side while the other serves. */
  async #asServed(server: Actor, mode: string, run: () => Promise<unknown>): Promise<unknown> {
    const child = this.#spawn(server, process.execPath, [TRAFFIC, mode, String(SERVICE_PORT)]);
    try {
      await new Promise((resolve) => child.stdout?.once('data', resolve));
      return await run();
    } finally {
      child.kill('SIGKILL');
    }
  }

  async #traffic(actor: Actor, args: string[]): Promise<unknown> {
    return JSON.parse(await this.#inside(actor, process.execPath, [TRAFFIC, ...args], 'node'));
  }

  /** @returns what the command printed; ping's exit code says only what its text says better */
  async #inside(actor: Actor, command: string, args: string[], needs: string): Promise<string> {
    const child = this.#spawn(actor, command, args);
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    await new Promise((resolve) => child.once('close', resolve));
    const text = Buffer.concat(chunks).toString();
    if (text === '') throw new CliError(`${needs} did not run in ${actor}'s namespace`);
    return text;
  }

  #spawn(actor: Actor, command: string, args: string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', netnsOf(actor), command, ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    return child;
  }
}

interface IperfResult {
  end: { sum_received: { bytes: number; seconds: number } };
}

function hasIperf(): Promise<boolean> {
  return new Promise((resolve) =>
    execFile('iperf3', ['--version'], (error) => resolve(error === null)),
  );
}

/** Unlike any namespace of the user's, or of another demo's. */
const netnsOf = (actor: string): string => `tapflow-${process.pid}-${actor}`;
