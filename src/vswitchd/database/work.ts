/** What the next turn of a switch on a database is to do: demands that came meanwhile, gathered. */
export interface Work {
  configure: boolean;
  /** Names of interfaces whose devices are to be looked at. */
  refresh: Set<string>;
  statistics: boolean;
  /** Whatever differs. */
  write: boolean;
}

export type Demand = Partial<Omit<Work, 'refresh'>> & { refresh?: Iterable<string> };

export const noWork = (): Work => ({
  configure: false,
  refresh: new Set(),
  statistics: false,
  write: false,
});

export const isWork = ({ configure, refresh, statistics, write }: Work): boolean =>
  configure || statistics || write || refresh.size > 0;

export function addDemand(work: Work, demand: Demand): void {
  work.configure ||= demand.configure ?? false;
  work.statistics ||= demand.statistics ?? false;
  work.write ||= demand.write ?? false;
  for (const name of demand.refresh ?? []) work.refresh.add(name);
}
