/**
 * A stock Open vSwitch to compare with: its own ovsdb-server and ovs-vswitchd
 * in a temporary directory, on dummy ports, without root. Commands go to its
 * unixctl socket directly, which takes a tenth of starting ovs-appctl.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';
const PROGRAMS = ['ovsdb-tool', 'ovsdb-server', 'ovs-vsctl', 'ovs-vswitchd', 'ovs-ofctl'];

/** Why it cannot run here, if it cannot. */
export function stockMissing(): string | undefined {
  const places = (process.env.PATH ?? '').split(':').concat('/usr/sbin');
  const missing = PROGRAMS.filter((name) => !places.some((dir) => existsSync(join(dir, name))));
  if (missing.length > 0) return `${missing.join(', ')} not installed`;
  return existsSync(SCHEMA) ? undefined : `${SCHEMA} not found`;
}

export class StockSwitch {
  readonly #dir = mkdtempSync(join(tmpdir(), 'tapflow-stock-'));
  readonly #processes: ChildProcess[] = [];
  #control: Control | undefined;

  async start(): Promise<void> {
    this.#run('ovsdb-tool', ['create', this.#path('conf.db'), SCHEMA]);
    this.#spawn('ovsdb-server', [`--remote=punix:${this.#path('db.sock')}`, this.#path('conf.db')]);
    await waitFor(this.#path('db.sock'));
    this.vsctl(['--no-wait', 'init']);
    this.#spawn('ovs-vswitchd', [
      '--enable-dummy=override',
      '--disable-system',
      `--unixctl=${this.#path('control')}`,
      `unix:${this.#path('db.sock')}`,
    ]);
    await waitFor(this.#path('control'));
    this.#control = await Control.connect(this.#path('control'));
  }

  /** Bridge br0 with dummy ports p1.., numbered so. */
  addBridge(ports: number): void {
    const protocols = ['10', '11', '12', '13', '14', '15'].map((n) => `OpenFlow${n}`).join(',');
    const bridge = ['set', 'bridge', 'br0', 'datapath_type=dummy', `protocols=${protocols}`];
    this.vsctl(['add-br', 'br0', '--', ...bridge]);
    // One by one: the order of flooding is that of configuration.
    for (let n = 1; n <= ports; n++) {
      const add = ['add-port', 'br0', `p${n}`, '--', 'set', 'interface', `p${n}`];
      this.vsctl([...add, 'type=dummy', `ofport_request=${n}`]);
    }
  }

  vsctl(args: readonly string[]): string {
    return this.#run('ovs-vsctl', [`--db=unix:${this.#path('db.sock')}`, ...args]);
  }

  replaceFlows(texts: readonly string[]): void {
    const file = this.#path('flows');
    writeFileSync(file, texts.map((text) => `${text}\n`).join(''));
    this.#run('ovs-ofctl', ['-O', 'OpenFlow15', 'del-flows', 'br0']);
    this.#run('ovs-ofctl', ['-O', 'OpenFlow15', 'add-flows', 'br0', file]);
  }

  ofctl(args: readonly string[]): string {
    return this.#run('ovs-ofctl', args);
  }

  command(method: string, ...params: string[]): Promise<string> {
    if (this.#control === undefined) throw new Error('not started');
    return this.#control.command(method, params);
  }

  async stop(): Promise<void> {
    this.#control?.close();
    for (const child of this.#processes.toReversed()) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #path(name: string): string {
    return join(this.#dir, name);
  }

  get #env(): NodeJS.ProcessEnv {
    const dirs = ['OVS_RUNDIR', 'OVS_DBDIR', 'OVS_LOGDIR', 'OVS_SYSCONFDIR'];
    return {
      ...process.env,
      PATH: `${process.env.PATH}:/usr/sbin`,
      ...Object.fromEntries(dirs.map((name) => [name, this.#dir])),
    };
  }

  #run(program: string, args: readonly string[]): string {
    return execFileSync(program, args, {
      env: this.#env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  #spawn(program: string, args: readonly string[]): void {
    const quiet = ['--no-chdir', '-vconsole:off', '-vsyslog:off', '-vfile:off'];
    const child = spawn(program, [...quiet, ...args], { env: this.#env, stdio: 'ignore' });
    this.#processes.push(child);
  }
}

async function waitFor(path: string): Promise<void> {
  for (let tries = 0; !existsSync(path); tries++) {
    if (tries > 500) throw new Error(`${path} did not appear in 10 s`);
    await delay(20);
  }
}

/** unixctl: JSON-RPC, one request at a time. */
class Control {
  readonly #socket: Socket;
  #text = '';
  #answer: ((text: string) => void) | undefined;

  static connect(path: string): Promise<Control> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(path, () => resolve(new Control(socket)));
      socket.once('error', reject);
    });
  }

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#received(text));
  }

  async command(method: string, params: readonly string[]): Promise<string> {
    const answer = new Promise<string>((resolve) => {
      this.#answer = resolve;
    });
    this.#socket.write(JSON.stringify({ id: 0, method, params }));
    const { result, error } = JSON.parse(await answer) as { result: string; error: string | null };
    if (error !== null) throw new Error(`${method} ${params.join(' ')}: ${error}`);
    return result;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** An answer is one JSON object, sent without a delimiter. */
  #received(text: string): void {
    this.#text += text;
    if (!isWhole(this.#text)) return;
    this.#answer?.(this.#text);
    this.#text = '';
  }
}

function isWhole(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
