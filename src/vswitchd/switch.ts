/**
 * The switch: one datapath, the slow path over it, and the configuration in
 * force.
 *
 * `apply` compares the configuration wanted with the one in force and performs
 * the difference action by action (actions.ts), while traffic runs. An action
 * that fails leaves its subject as it was; its error is kept under the
 * subject's name until an `apply` gets past it, and the other actions go on.
 * The value in force is advanced by each action that succeeded, and a port whose
 * device failed leaves it: so the next `apply` tries again what failed, and
 * touches nothing that stands.
 */
import { diffConfig } from '../config/diff.ts';
import type { Config } from '../config/value.ts';
import type { Dpif, DpifEvent } from '../dpif/dpif.ts';
import { TapflowError } from '../lib/error.ts';
import { Slices } from '../lib/slices.ts';
import type { Bridge, SlowPath } from '../ofproto/api.ts';
import { describeAction, perform, subjectOf } from './actions.ts';
import { onlyPorts } from './in-force.ts';
import type { Namespaces } from './namespaces.ts';
import { type PreviousOfport, SwitchPorts } from './switch-ports.ts';
import { warningsOf } from './warnings.ts';

export interface SwitchOptions {
  dpif: Dpif;
  slowPath: SlowPath;
  namespaces: Namespaces;
  log?: (line: string) => void;
  /** Numbers that ports had in an earlier life; by default none are known. */
  previousOfport?: PreviousOfport;
  /**
   * Told when a device is of no use any more; who asks for this also tells, by
   * `ports.markFailed`, of devices that are gone. Otherwise `apply` looks at each.
   */
  onPortFailed?: (name: string) => void;
}

export interface ItemError {
  /** Name of the bridge, port or interface. */
  item: string;
  message: string;
}

export interface ApplyReport {
  /** What was done, one phrase each. */
  changes: string[];
  /** What was done, but may surprise. */
  warnings: string[];
  errors: ItemError[];
}

const NOTHING: Config = { bridges: [], otherConfig: {} };

export class Switch {
  readonly dpif: Dpif;
  readonly slowPath: SlowPath;
  readonly ports: SwitchPorts;
  /** What was asked for last, with what failed. */
  wanted: Config = NOTHING;
  /** By the name of what it concerns. */
  readonly errors: Map<string, string> = new Map();
  /** What was thrown, likewise, by the last `apply`. */
  readonly causes: Map<string, unknown> = new Map();
  #inForce: Config = NOTHING;
  readonly #namespaces: Namespaces;
  readonly #log: (line: string) => void;
  readonly #onPortFailed: ((name: string) => void) | undefined;
  readonly #listeners = new Set<(report: ApplyReport) => void>();
  /** One `apply` at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SwitchOptions) {
    const { dpif, slowPath, namespaces } = options;
    this.dpif = dpif;
    this.slowPath = slowPath;
    this.ports = new SwitchPorts(dpif, namespaces, options.previousOfport ?? (() => undefined));
    this.#namespaces = namespaces;
    this.#log = options.log ?? (() => undefined);
    this.#onPortFailed = options.onPortFailed;
    dpif.onEvent((event) => this.#onEvent(event));
  }

  /** Never rejects for what the configuration says: that is in the report's errors. */
  apply(config: Config): Promise<ApplyReport> {
    const done = this.#turn.then(() => this.#apply(config));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** @param listener is told of each `apply` that is done. @returns what ends that */
  onApplied(listener: (report: ApplyReport) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What is wrong now, as a report. */
  standing(): ApplyReport {
    const errors = [...this.errors].map(([item, message]) => ({ item, message }));
    return { changes: [], warnings: [], errors };
  }

  /** @throws TapflowError NO_BRIDGE */
  bridge(name: string): Bridge {
    const found = this.slowPath.bridge(name);
    if (found !== undefined) return found;
    const names = this.slowPath.bridges().map((bridge) => bridge.name);
    throw new TapflowError(
      'NO_BRIDGE',
      `there is no bridge "${name}"; there ${names.length === 0 ? 'are none' : `is: ${names.join(', ')}`}`,
    );
  }

  /** Closes all ports and removes the namespaces made for them. */
  async close(): Promise<void> {
    await this.#turn;
    this.slowPath.close();
    await this.dpif.close();
    await this.#namespaces.prune(new Set());
  }

  async #apply(config: Config): Promise<ApplyReport> {
    const report: ApplyReport = { changes: [], warnings: [], errors: [] };
    this.wanted = config;
    this.errors.clear();
    this.causes.clear();
    this.#closeFailedPorts(report);
    const slices = new Slices();
    for (const action of diffConfig(this.#inForce, config)) {
      try {
        this.#inForce = await perform(action, this, this.#inForce);
        report.changes.push(describeAction(action));
        report.warnings.push(...warningsOf(action, this));
      } catch (error) {
        this.#keepOpenPorts();
        this.#fail(report, subjectOf(action), error);
      }
      await slices.breathe();
    }
    await this.ports.closed();
    // Cached traffic follows from here on.
    if (report.changes.length > 0) await this.slowPath.revalidate();
    await this.#pruneNamespaces(report);
    for (const listener of this.#listeners) listener(report);
    return report;
  }

  #closeFailedPorts(report: ApplyReport): void {
    if (this.#onPortFailed === undefined) this.ports.markGone();
    for (const { bridge, name } of this.ports.failed()) {
      this.ports.close(this.bridge(bridge), name);
      report.changes.push(`port ${name} closed on bridge ${bridge}: its device had failed`);
    }
    this.#keepOpenPorts();
  }

  #keepOpenPorts(): void {
    this.#inForce = onlyPorts(this.#inForce, (name) => this.ports.get(name) !== undefined);
  }

  /** A programmer's mistake is reported like any other error: the rest of the configuration still counts. */
  #fail(report: ApplyReport, item: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.errors.set(item, message);
    this.causes.set(item, error);
    report.errors.push({ item, message });
  }

  async #pruneNamespaces(report: ApplyReport): Promise<void> {
    const interfaces = this.wanted.bridges.flatMap((bridge) =>
      bridge.ports.flatMap((port) => port.interfaces),
    );
    const named = interfaces.flatMap(({ netns }) => (netns === undefined ? [] : [netns]));
    try {
      const removed = await this.#namespaces.prune(new Set(named));
      for (const name of removed) report.changes.push(`namespace ${name} removed`);
    } catch (error) {
      this.#fail(report, 'namespaces', error);
    }
  }

  #onEvent(event: DpifEvent): void {
    if (event.kind === 'port-failed') {
      const name = this.ports.byPortNo(event.portNo)?.name ?? `port ${event.portNo}`;
      this.errors.set(name, event.reason);
      this.ports.markFailed(event.portNo);
      this.#log(`${name}: ${event.reason}`);
      this.#onPortFailed?.(name);
    } else if (event.kind === 'worker-died') {
      this.#log(`worker ${event.worker} died and is being restarted: ${event.reason}`);
    } else {
      this.#log(`worker ${event.worker} forwards again`);
    }
  }
}
