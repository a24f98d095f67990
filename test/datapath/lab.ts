/**
 * A lab for system tests of the threaded datapath: a network namespace that
 * holds the far ends of the TAPs, and a child process in it (lab-child.js)
 * that sends and checks numbered frames.
 */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Dpif } from '../../src/dpif/dpif.ts';

export interface LabFrame {
  from: number;
  to: number;
  /** Part of both addresses. */
  flow: number;
  /** Grows within a flow. */
  sequence: number;
}

export interface HostReport {
  host: number;
  received: number;
  misdelivered: number;
  /** Of those received, how many came after a later one of the same flow, or twice. */
  outOfOrder: number;
}

/** The bytes of a frame that the child would send or check (lab-child.js), Ethernet header first. */
export function labFrameBytes({ from, to, flow, sequence }: LabFrame): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes.set([2, 0, flow >>> 16, flow >>> 8, flow, to]);
  bytes.set([2, 1, flow >>> 16, flow >>> 8, flow, from], 6);
  const view = new DataView(bytes.buffer);
  view.setUint16(12, 0x88b5);
  view.setUint32(14, sequence);
  return bytes;
}

export class Lab {
  readonly #netns = `tapflow-lab-${process.pid}`;
  readonly #dpif: Dpif;
  readonly #child: ChildProcess;
  #nextId = 1;

  private constructor(dpif: Dpif) {
    this.#dpif = dpif;
    execFileSync('ip', ['netns', 'add', this.#netns]);
    execFileSync('ip', [
      ...['netns', 'exec', this.#netns, 'sysctl', '-qw'],
      'net.ipv6.conf.default.disable_ipv6=1',
    ]);
    this.#child = fork(fileURLToPath(new URL('./lab-child.js', import.meta.url)), {
      execPath: 'ip',
      execArgv: ['netns', 'exec', this.#netns, process.execPath],
    });
  }

  /** Ports 1 to `ports` of the datapath, with hosts of the same numbers behind them. */
  static async open(dpif: Dpif, ports: number): Promise<Lab> {
    const lab = new Lab(dpif);
    for (let host = 1; host <= ports; host++) await lab.addPort(host);
    return lab;
  }

  async addPort(host: number): Promise<void> {
    const device = `tlab${host}`;
    this.#dpif.portAdd({ name: device, type: 'tap', netns: this.#netns });
    await this.#call('open', { host, device });
  }

  async removePort(host: number): Promise<void> {
    await this.#call('close', { host });
    this.#dpif.portDel(host);
    await this.#dpif.quiesce();
  }

  async send(frames: LabFrame[]): Promise<void> {
    await this.#call('send', { frames });
  }

  async report(): Promise<HostReport[]> {
    return (await this.#call('report', {})) as HostReport[];
  }

  async close(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    await exit;
    execFileSync('ip', ['netns', 'del', this.#netns]);
  }

  #call(command: string, rest: object): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const onMessage = (message: { id: number; result: unknown }): void => {
        if (message.id !== id) return;
        this.#child.off('message', onMessage);
        this.#child.off('exit', onExit);
        resolve(message.result);
      };
      const onExit = (): void => reject(new Error('the lab has died'));
      this.#child.on('message', onMessage);
      this.#child.once('exit', onExit);
      this.#child.send({ id, command, ...rest });
    });
  }
}
