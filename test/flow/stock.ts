/**
 * Stock Open vSwitch as an oracle: what its tools make of the same flows and
 * frames. Tests that need it are skipped by name where it is not installed,
 * unless TAPFLOW_REQUIRE_SYSTEM=1 wants them to fail then.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'vitest';

const isInstalled = spawnSync('ovs-ofctl', ['--version']).status === 0;

/** A test that compares with stock Open vSwitch. */
export const itAsStock =
  isInstalled || process.env.TAPFLOW_REQUIRE_SYSTEM === '1'
    ? it
    : (name: string, _run: () => void): void =>
        it.skip(`${name} (ovs-ofctl is not installed)`, () => {});

/** The flow of each frame, as `ovs-ofctl parse-pcap` prints it. */
export function stockFlowsOf(frames: readonly Uint8Array[]): string[] {
  return inFile('frames.pcap', pcap(frames), (file) => lines(run(['parse-pcap', file])));
}

/** Each match as stock Open vSwitch prints it; undefined where it refuses. */
export function stockMatches(texts: readonly string[]): (string | undefined)[] {
  const flows = texts.map((text) => `${text}${text === '' ? '' : ','}actions=drop\n`).join('');
  const printed = inFile('flows.txt', Buffer.from(flows), (file) => run(['parse-flows', file]));
  return lines(printed)
    .filter((line) => line.includes('_FLOW_MOD'))
    .map((line) => /: ADD (?:table:255 )?(.*?) ?actions=drop/.exec(line)?.[1]);
}

function run(args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync('ovs-ofctl', args, {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`ovs-ofctl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function inFile<T>(name: string, content: Uint8Array, use: (file: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'tapflow-'));
  try {
    const file = join(folder, name);
    writeFileSync(file, content);
    return use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The capture file format of libpcap, Ethernet, all times 0. */
function pcap(frames: readonly Uint8Array[]): Uint8Array {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(0xffff, 16);
  head.writeUInt32LE(1, 20);
  const records = frames.flatMap((frame) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    return [record, frame];
  });
  return Buffer.concat([head, ...records]);
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
