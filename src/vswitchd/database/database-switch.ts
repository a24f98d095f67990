/**
 * A switch that is what the database says, and tells the database how it is.
 *
 *     rows --config-of.ts--> configuration --Switch.apply--> ports and bridges
 *      ^                                                            |
 *      +--- status-writer.ts <--- status-rows.ts <--- interface-table.ts
 *
 * Changes come at any time (of the database, of the host's devices, of a port
 * that fails), are gathered while a turn is under way, and make another turn:
 * configure if there is need to, look at the devices concerned, write what
 * differs; `cur_cfg` last, when the datapath follows the configuration. Each
 * turn is sliced, so however many ports there are the thread goes on serving
 * upcalls. While another vswitchd has the database's lock nothing is done, and
 * nothing is left standing.
 */
import type { Config } from '../../config/value.ts';
import type { Clock } from '../../lib/clock.ts';
import { TapflowError } from '../../lib/error.ts';
import type { Json } from '../../lib/json.ts';
import { isObject } from '../../lib/json.ts';
import { Slices } from '../../lib/slices.ts';
import type { LinkEvent } from '../../native.ts';
import type { TransactionChanges } from '../../ovsdb/database/changes.ts';
import type { Row } from '../../ovsdb/database/row.ts';
import type { Replica } from '../../ovsdb/replica/replica.ts';
import type { Switch } from '../switch.ts';
import type { SwitchPort } from '../switch-ports.ts';
import { setBridgeAddresses } from './bridge-addresses.ts';
import { isConfiguration, readCell, type TableName } from './columns.ts';
import { ConfigReader } from './config-of.ts';
import type { DatabaseConfig } from './database-config.ts';
import { InterfaceTable, isKnown } from './interface-table.ts';
import { StandingWarnings } from './standing-warnings.ts';
import { statusRows } from './status-rows.ts';
import { statusTransactions } from './status-writer.ts';
import { addDemand, type Demand, isWork, noWork, type Work } from './work.ts';

export interface DatabaseSwitchOptions {
  switch: Switch;
  replica: Pick<Replica, 'rows' | 'schema' | 'transact' | 'hasLock' | 'isLockContended'>;
  clock: Clock;
  /** What a bridge's datapath_type may be. */
  datapathTypes: readonly string[];
  log: { info(line: string): void; warn(line: string): void; err(line: string): void };
}

export class DatabaseSwitch {
  /** Resolves when the first configuration is in force and told. */
  readonly configured: Promise<void>;
  readonly #switch: Switch;
  readonly #replica: DatabaseSwitchOptions['replica'];
  readonly #clock: Clock;
  readonly #datapathTypes: readonly string[];
  readonly #log: DatabaseSwitchOptions['log'];
  readonly #reader: ConfigReader;
  readonly #interfaces: InterfaceTable;
  #work: Work = noWork();
  #turn: Promise<void> | undefined;
  #wanted: DatabaseConfig | undefined;
  /** The `next_cfg` whose configuration is in force. */
  #inForce: number | bigint | undefined;
  /** The numbers that ports had last, by interface. */
  readonly #ofports = new Map<string, number>();
  readonly #warnings: StandingWarnings;
  readonly #awaited = new Set<{ nextCfg: number; resolve: () => void }>();
  #announceConfigured: () => void = () => undefined;
  #cancelTimer: () => void = () => undefined;
  /** Another has the lock, and knows. */
  #isDisabled = false;
  #closed = false;

  constructor(options: DatabaseSwitchOptions) {
    this.#switch = options.switch;
    this.#replica = options.replica;
    this.#clock = options.clock;
    this.#datapathTypes = options.datapathTypes;
    this.#log = options.log;
    this.#warnings = new StandingWarnings((line) => options.log.warn(line));
    this.#reader = new ConfigReader(options.datapathTypes);
    this.#interfaces = new InterfaceTable(options.switch);
    this.configured = new Promise((resolve) => {
      this.#announceConfigured = resolve;
    });
  }

  /** For the replica: rows have changed. */
  changed(changes: TransactionChanges): void {
    if (isConfiguration(changes)) this.#demand({ configure: true });
  }

  /** For the replica: there is a whole copy for the first time, empty though it may be. */
  synced(): void {
    this.#demand({ configure: true });
  }

  /** For the replica: there is a new connection, whose server may have forgotten what was ephemeral. */
  connected(): void {
    this.#demand({ write: true });
  }

  /** For the replica: the lock was got, or lost to another. */
  lockChanged(): void {
    this.#demand({ configure: true });
  }

  /** For the switch. */
  portFailed(): void {
    this.#demand({ configure: true });
  }

  /** For the watch over links. @param events undefined: any device may have changed */
  linksChanged(events: readonly LinkEvent[] | undefined): void {
    if (events === undefined) {
      this.#demand({ refresh: this.#interfaces.names(), configure: true });
      return;
    }
    for (const event of events) this.#linkChanged(event);
  }

  /** The number that an interface's port had before. */
  previousOfport(name: string): number | undefined {
    return this.#ofports.get(name);
  }

  /** Resolves when the configuration with this `next_cfg`, or a later one, is in force and told. */
  inForce(nextCfg: number): Promise<void> {
    return new Promise((resolve) => {
      this.#awaited.add({ nextCfg, resolve });
      this.#tellInForce();
    });
  }

  /** Resolves when the turn under way is over; there are no more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer();
    await this.#turn;
  }

  #linkChanged(event: LinkEvent): void {
    const { name, ifindex, gone } = event;
    const byName = this.#interfaces.get(name);
    const isMissing = byName !== undefined && byName.port === undefined;
    if (isMissing && byName.wanted.port !== undefined && !gone) this.#demand({ configure: true });
    for (const known of new Set([byName, this.#interfaces.byIfindex(ifindex)])) {
      if (known?.port === undefined || isKnown(known, event)) continue;
      this.#demand({ refresh: [known.wanted.name] });
    }
  }

  #demand(demand: Demand): void {
    addDemand(this.#work, demand);
    if (this.#closed) return;
    this.#turn ??= this.#turns();
  }

  async #turns(): Promise<void> {
    for (;;) {
      // What happens together is dealt with together.
      await new Promise((resolve) => setImmediate(resolve));
      const work = this.#work;
      if (this.#closed || !isWork(work)) {
        // In the same moment, or a demand that comes in between would wait for the next.
        this.#turn = undefined;
        return;
      }
      this.#work = noWork();
      try {
        await this.#perform(work);
      } catch (error) {
        if (!(error instanceof TapflowError)) throw error;
        if (this.#closed) return;
        // Most likely the connection is lost; whatever it is, it may pass.
        this.#log.warn(error.message);
        this.#clock.after(TRY_AGAIN, () => this.#demand({ configure: true }));
      }
    }
  }

  async #perform({ configure, refresh, statistics }: Work): Promise<void> {
    const slices = new Slices();
    const { hasLock, isLockContended, schema } = this.#replica;
    if (isLockContended && !this.#isDisabled) await this.#letGo();
    this.#isDisabled = isLockContended;
    if (!hasLock || schema === undefined) return;
    if (configure) await this.#configure(slices);
    await this.#refresh(refresh, slices);
    await this.#write(statistics, slices);
    if (!configure) return;
    this.#announceConfigured();
    this.#tellInForce();
    this.#startTimer();
  }

  #tellInForce(): void {
    for (const awaited of this.#awaited) {
      if (Number(this.#inForce ?? -1) < awaited.nextCfg) continue;
      this.#awaited.delete(awaited);
      awaited.resolve();
    }
  }

  async #configure(slices: Slices): Promise<void> {
    const rows = this.#snapshot();
    const wanted = await this.#reader.readInSlices(rows, slices);
    const names = new Set(wanted.interfaces.map(({ name }) => name));
    this.#rememberOfports(wanted, names);
    const problems = await this.#apply(wanted.config, names);
    this.#interfaces.keep(names);
    for (const each of wanted.interfaces) {
      if (!this.#interfaces.update(each)) this.#lookAgain(each.name);
      await slices.breathe();
    }
    this.#warnings.set('configuration', [
      ...wanted.warnings,
      ...problems,
      ...this.#interfaces.problems(),
    ]);
    this.#wanted = wanted;
    this.#setAddresses();
    this.#inForce = wanted.root && readCell('Open_vSwitch', wanted.root, 'next_cfg');
  }

  /** @returns what may surprise, and what went wrong with anything but an interface */
  async #apply(config: Config, interfaces: ReadonlySet<string>): Promise<string[]> {
    const before = new Map(this.#switch.ports.all().map((port) => [port.name, port]));
    const report = await this.#switch.apply(config);
    this.#logPorts(before);
    const others = report.errors.filter(({ item }) => !interfaces.has(item));
    return [...report.warnings, ...others.map(({ item, message }) => `${item}: ${message}`)];
  }

  /** Another vswitchd is in charge: it needs the devices. */
  async #letGo(): Promise<void> {
    this.#log.warn(
      `another ovs-vswitchd process is running, disabling this process (pid ${process.pid}) until it goes away`,
    );
    this.#wanted = undefined;
    this.#cancelTimer();
    this.#interfaces.keep(new Set());
    await this.#switch.apply({ bridges: [], otherConfig: {} });
  }

  async #refresh(names: ReadonlySet<string>, slices: Slices): Promise<void> {
    for (const name of names) {
      const known = this.#interfaces.get(name);
      if (known?.port === undefined) continue;
      if (!this.#interfaces.refresh(known)) {
        this.#switch.ports.markFailed(known.port.portNo);
        this.#demand({ configure: true });
      }
      await slices.breathe();
    }
    if (names.size > 0) this.#setAddresses();
  }

  #setAddresses(): void {
    if (this.#wanted === undefined) return;
    const problems = setBridgeAddresses(this.#wanted, this.#interfaces, this.#switch);
    this.#warnings.set('addresses', problems);
  }

  /** At a device that was gone when it had just been opened: not at once, for it may be so each time. */
  #lookAgain(name: string): void {
    this.#clock.after(LOOK_AGAIN, () => this.#demand({ refresh: [name] }));
  }

  async #write(statistics: boolean, slices: Slices): Promise<void> {
    if (this.#wanted === undefined) return;
    const rows = statusRows({
      ...{ wanted: this.#wanted, interfaces: this.#interfaces, switch: this.#switch, statistics },
      ...{ datapathTypes: this.#datapathTypes, inForce: this.#inForce },
      row: (table, uuid) => this.#replica.rows(table).get(uuid),
    });
    for (const operations of await statusTransactions(rows, slices)) {
      const results = await this.#replica.transact(operations);
      this.#warnings.set('refusals', refusals(results));
    }
  }

  /** The maps may change under a turn that waits; rows do not. */
  #snapshot(): { rows(table: TableName): ReadonlyMap<string, Row> } {
    const tables = new Map<TableName, ReadonlyMap<string, Row>>();
    for (const table of ['Open_vSwitch', 'Bridge', 'Port', 'Interface'] as const) {
      tables.set(table, new Map(this.#replica.rows(table)));
    }
    return { rows: (table) => tables.get(table) ?? new Map() };
  }

  /** Of an earlier process, from the rows; of this one, as they are. */
  #rememberOfports(wanted: DatabaseConfig, names: ReadonlySet<string>): void {
    for (const name of this.#ofports.keys()) if (!names.has(name)) this.#ofports.delete(name);
    for (const { name, row } of wanted.interfaces) {
      const ofport =
        this.#switch.ports.get(name)?.ofport ?? Number(row.get('ofport').keys[0] ?? -1);
      if (ofport > 0) this.#ofports.set(name, ofport);
    }
  }

  #logPorts(before: ReadonlyMap<string, SwitchPort>): void {
    const now = new Map(this.#switch.ports.all().map((port) => [port.name, port]));
    for (const [name, port] of before) {
      if (now.get(name) === port) continue;
      this.#log.info(`bridge ${port.bridge}: deleted interface ${name} on port ${port.ofport}`);
    }
    for (const [name, port] of now) {
      if (before.get(name) === port) continue;
      this.#log.info(`bridge ${port.bridge}: added interface ${name} on port ${port.ofport}`);
    }
  }

  /** Counters, and what no event told of, at the interval that is configured. */
  #startTimer(): void {
    this.#cancelTimer();
    const root = this.#wanted?.root;
    const otherConfig = root && readCell('Open_vSwitch', root, 'other_config');
    const wanted = Number(otherConfig?.get('stats-update-interval') ?? 0);
    this.#cancelTimer = this.#clock.after(Math.max(MIN_INTERVAL, wanted || 0), () => {
      this.#demand({ statistics: true });
      this.#startTimer();
    });
  }
}

/** Milliseconds. */
const LOOK_AGAIN = 300;
const TRY_AGAIN = 1000;

/** Milliseconds; also the default. */
const MIN_INTERVAL = 5000;

/** What the database would not take. */
function refusals(results: readonly Json[]): string[] {
  return results.flatMap((result) => {
    if (!isObject(result) || result.error === undefined) return [];
    return `the database refuses status: ${result.error}: ${result.details ?? ''}`;
  });
}
