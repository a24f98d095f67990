/** What the server keeps in memory, counted as stock's memory/show counts it. */
import type { OvsdbServer } from './server.ts';

export function memoryUsage({ databases, clients }: OvsdbServer): string {
  const counts: Record<string, number> = { atoms: 0, cells: 0, 'n-weak-refs': 0, triggers: 0 };
  for (const { database, waiting } of databases.values()) {
    counts.triggers += waiting;
    for (const [name, { columns }] of database.schema.tables) {
      const rows = database.rows(name);
      counts.cells += rows.size * columns.size;
      for (const row of rows.values()) {
        for (const { index } of columns.values()) {
          const { keys, values = [] } = row.at(index);
          counts.atoms += keys.length + values.length;
        }
      }
    }
  }
  const all = [...clients];
  counts.sessions = all.length;
  counts.monitors = sum(all.map(({ monitorCount }) => monitorCount));
  counts.backlog = sum(all.map(({ backlogBytes }) => backlogBytes));
  return Object.entries(counts)
    .filter(([name, count]) => count > 0 || ALWAYS.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name}:${count}`)
    .join(' ');
}

const ALWAYS: ReadonlySet<string> = new Set(['atoms', 'cells', 'monitors', 'n-weak-refs']);

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
