/**
 * The same command lines given to the stock ovs-vsctl and to ours, each with a
 * stock server of its own: what they print, how they exit and what is in the
 * databases afterwards can be compared, once UUIDs, which are random, the
 * order that comes of them, and the time are taken out.
 */
import { spawnSync } from 'node:child_process';
import { run } from '../../../src/cli/vsctl/program.ts';
import type { Json } from '../../../src/lib/json.ts';
import { formatJson } from '../../../src/lib/json-text.ts';
import { type Rows, StockServer } from './stock-server.ts';

export interface Result {
  code: number;
  out: string[];
  err: string[];
}

export class Pair {
  readonly stock = new StockServer();
  readonly ours = new StockServer();

  async start(): Promise<void> {
    await Promise.all([this.stock.start(), this.ours.start()]);
  }

  async clear(): Promise<void> {
    await Promise.all([this.stock.clear(), this.ours.clear()]);
  }

  async stop(): Promise<void> {
    await Promise.all([this.stock.stop(), this.ours.stop()]);
  }

  /** @returns undefined where stock crashes: then ours is not asked */
  async both(argv: readonly string[]): Promise<{ stock: Result; ours: Result } | undefined> {
    const stock = runStock(this.stock.remote, argv);
    if (stock === undefined) return undefined;
    return { stock, ours: await runOurs(this.ours.remote, argv) };
  }

  async contents(): Promise<{ stock: string[]; ours: string[] }> {
    const [stock, ours] = await Promise.all([this.stock.dump(), this.ours.dump()]);
    return { stock: canonical(stock), ours: canonical(ours) };
  }
}

const options = (remote: string): string[] => [`--db=${remote}`, '--no-wait', '--timeout=5'];

function runStock(remote: string, argv: readonly string[]): Result | undefined {
  const args = [...options(remote), ...argv];
  const { status, stdout, stderr } = spawnSync('ovs-vsctl', args, { encoding: 'utf8' });
  return status === null ? undefined : resultOf(remote, status, stdout, stderr);
}

export async function runOurs(remote: string, argv: readonly string[]): Promise<Result> {
  let [out, err] = ['', ''];
  const code = await run([...options(remote), ...argv], {
    writeOut: (text) => {
      out += text;
    },
    writeError: (text) => {
      err += text;
    },
    isTerminal: false,
    alarm: () => 142,
  });
  return resultOf(remote, code, out, err);
}

function resultOf(remote: string, code: number, out: string, err: string): Result {
  // --oneline has its ends of lines as text.
  const lines = (text: string): string[] =>
    comparable(text.replaceAll(remote, 'DB')).split(/\n|\\n/);
  // stock prints a NUL where an argument ends too early, and nothing behind it
  return { code, out: lines(out).sort(), err: lines(err.replaceAll('\0', '')) };
}

function comparable(text: string): string {
  return text
    .replace(UUID, 'UUID')
    .replace(/#[\da-f]{8}\b|>[\da-f]{8}</g, 'UUID')
    .replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z(?=\|)/gm, 'TIME');
}

const UUID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g;

/** Rows as text, in which references are the text of what they refer to, some levels deep. */
function canonical(dump: ReadonlyMap<string, Rows>): string[] {
  let labels = new Map<string, string>();
  for (let depth = 0; depth < 4; depth++) {
    const known = labels;
    labels = new Map();
    for (const [table, rows] of dump) {
      for (const row of rows) labels.set(uuidOf(row), `${table} ${labelOf(row, known)}`);
    }
  }
  return [...labels.values()].sort();
}

const uuidOf = (row: Rows[number]): string => (row._uuid as [string, string])[1];

function labelOf({ _uuid, ...columns }: Rows[number], labels: ReadonlyMap<string, string>): string {
  return formatJson(named(columns, labels), { sorted: true });
}

function named(json: Json, labels: ReadonlyMap<string, string>): Json {
  if (Array.isArray(json)) {
    const [tag, value] = json;
    if (tag === 'uuid') return labels.get(String(value)) ?? 'row';
    const members = json.map((each) => named(each, labels));
    return tag === 'set' || tag === 'map' ? [tag, sorted(members[1])] : members;
  }
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [name, named(value, labels)]),
  );
}

function sorted(members: Json): Json {
  const texts = (members as readonly Json[]).map((each) => [formatJson(each), each] as const);
  return texts.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}
