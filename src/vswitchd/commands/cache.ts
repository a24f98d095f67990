/**
 * `cache`: how the datapath found each packet's flow. A packet tries the
 * microflow cache, then the megaflow cache mask by mask, and goes up to the
 * slow path (an upcall) when both miss.
 */
import type { CacheStats } from '../../dpif/dpif.ts';

import type { Command } from '../../unixctl/command-table.ts';
import { maskText } from '../mask-text.ts';
import type { Switch } from '../switch.ts';
import { grouped, percent, table } from '../table.ts';
import { report } from './report.ts';

interface ShownLevels {
  packets: number;
  microflow_hits: number;
  megaflow_hits: number;
  subtables_tried: number;
  misses: number;
  lost_upcalls: number;
}

interface ShownCache extends ShownLevels {
  megaflows: number;
  flow_limit: number;
  workers: (ShownLevels & { worker: number; turns: number; sleeps: number })[];
  masks: { mask: string; megaflows: number; hits: number; compiled: boolean }[];
}

export function cacheCommand(sw: Switch): Command {
  return report({
    name: 'cache',
    usage: '',
    minArgs: 0,
    maxArgs: 0,
    value: () => shownCache(sw),
    text: cacheText,
  });
}

/** The sum over workers. */
export function levels(stats: readonly CacheStats[]): ShownLevels {
  const sum = (pick: (one: CacheStats) => number) =>
    stats.reduce((total, one) => total + pick(one), 0);
  return {
    packets: sum((one) => one.packets),
    microflow_hits: sum((one) => one.microflowHits),
    megaflow_hits: sum((one) => one.megaflowHits),
    subtables_tried: sum((one) => one.subtablesTried),
    misses: sum((one) => one.misses),
    lost_upcalls: sum((one) => one.lostUpcalls),
  };
}

async function shownCache({ dpif, slowPath }: Switch): Promise<ShownCache> {
  await dpif.quiesce();
  const stats = dpif.cacheStats();
  return {
    ...levels(stats),
    megaflows: dpif.flowCount(),
    flow_limit: slowPath.stats().flowLimit,
    workers: stats.map((one) => ({
      worker: one.worker,
      ...levels([one]),
      turns: one.turns,
      sleeps: one.sleeps,
    })),
    masks: dpif.maskStats().map(({ mask, flows, hits, compiled }) => ({
      mask: maskText(mask),
      megaflows: flows,
      hits,
      compiled,
    })),
  };
}

function cacheText(cache: ShownCache): string {
  return [levelsText(cache), workersText(cache), masksText(cache)].join('\n');
}

function levelsText(cache: ShownCache): string {
  const { packets, microflow_hits, megaflow_hits, subtables_tried, misses, lost_upcalls } = cache;
  const depth = megaflow_hits === 0 ? '-' : (subtables_tried / megaflow_hits).toFixed(1);
  return table(
    ['found in', 'packets', 'share', ''],
    [
      ['microflow cache', microflow_hits, percent(microflow_hits, packets), 'exact signature'],
      [
        'megaflow cache',
        megaflow_hits,
        percent(megaflow_hits, packets),
        `${depth} masks tried each`,
      ],
      ['slow path', misses, percent(misses, packets), 'upcalls'],
      ['nowhere', lost_upcalls, percent(lost_upcalls, packets), 'upcalls lost: too many waiting'],
    ],
  );
}

function workersText({ workers }: ShownCache): string {
  return table(
    ['worker', 'packets', 'microflow', 'megaflow', 'upcalls', 'turns', 'sleeps'],
    workers.map((one) => [
      String(one.worker),
      one.packets,
      one.microflow_hits,
      one.megaflow_hits,
      one.misses,
      one.turns,
      one.sleeps,
    ]),
  );
}

function masksText({ masks, megaflows, flow_limit }: ShownCache): string {
  const head = `${grouped(megaflows)} megaflows (at most ${grouped(flow_limit)}) under ${masks.length} masks\n`;
  if (masks.length === 0) return head;
  const rows = [...masks]
    .sort((a, b) => b.hits - a.hits)
    .map(({ mask, megaflows, hits, compiled }) => [megaflows, hits, compiled ? 'yes' : 'no', mask]);
  return head + table(['megaflows', 'hits', 'compiled', 'looks at'], rows);
}
