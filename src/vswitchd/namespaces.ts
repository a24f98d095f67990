/**
 * The network namespaces that a topology names: those that do not exist are
 * made, and those made here are remembered on disk, so that the switch, or the
 * next one after a kill -9, removes them and no others.
 *
 * The record says name and inode: a namespace of the same name that somebody
 * else has made since is theirs, and stays.
 */
import { execFile } from 'node:child_process';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { TapflowError } from '../lib/error.ts';

export interface Namespaces {
  /** Makes it if there is none. @throws TapflowError */
  ensure(name: string): Promise<void>;
  /** Removes those made here whose name is not in `wanted`. @returns their names */
  prune(wanted: ReadonlySet<string>): Promise<string[]>;
}

/** For datapaths without devices. */
export const noNamespaces: Namespaces = {
  async ensure(name) {
    throw new TapflowError(
      'NO_NAMESPACES',
      `network namespace "${name}": this switch is simulated and has no devices to put into one`,
    );
  },
  prune: async () => [],
};

/** @param recordPath a JSON file, {name: inode}, that need not exist; undefined: nothing outlives the process */
export function kernelNamespaces(recordPath: string | undefined): Namespaces {
  const made = recordPath === undefined ? new Map<string, number>() : readRecord(recordPath);
  const save = () => {
    if (recordPath !== undefined) writeRecord(recordPath, made);
  };
  return {
    async ensure(name) {
      if (inodeOf(name) !== undefined) return;
      await ip(['netns', 'add', name]);
      const inode = inodeOf(name);
      if (inode !== undefined) made.set(name, inode);
      save();
    },
    async prune(wanted) {
      const surplus = [...made].filter(([name]) => !wanted.has(name));
      for (const [name, inode] of surplus) {
        if (inodeOf(name) === inode) await ip(['netns', 'del', name]);
        made.delete(name);
        save();
      }
      return surplus.map(([name]) => name);
    },
  };
}

/** Where iproute2 keeps named namespaces. */
const NETNS_DIR = '/run/netns';

function inodeOf(name: string): number | undefined {
  return statSync(`${NETNS_DIR}/${name}`, { throwIfNoEntry: false })?.ino;
}

async function ip(args: string[]): Promise<void> {
  try {
    await promisify(execFile)('ip', args);
  } catch (cause) {
    const { code, stderr } = cause as { code?: unknown; stderr?: string };
    const reason = code === 'ENOENT' ? 'iproute2 is not installed' : String(stderr).trim();
    throw new TapflowError('NETNS', `"ip ${args.join(' ')}" failed: ${reason}`, { cause });
  }
}

function readRecord(path: string): Map<string, number> {
  try {
    const record: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return new Map(Object.entries(record as Record<string, number>));
  } catch {
    // Absent, or torn by a crash while the machine went down: then /run is gone as well.
    return new Map();
  }
}

function writeRecord(path: string, made: ReadonlyMap<string, number>): void {
  if (made.size === 0) {
    rmSync(path, { force: true });
  } else {
    writeFileSync(`${path}.new`, JSON.stringify(Object.fromEntries(made)));
    renameSync(`${path}.new`, path);
  }
}
