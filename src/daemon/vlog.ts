/**
 * vlog, the log of Open vSwitch's daemons: each message belongs to a module
 * and has a level; each of three destinations, console (standard error),
 * syslog and a file, has its level per module and its pattern.
 *
 * A program has one, made at its start and handed to those who log. Modules
 * are named to it at once, since -v may name those whose code is loaded later;
 * one that is not named exists from its first `module()`. Words and patterns
 * are in levels.ts and vlog-pattern.ts, what logs is in vlog-module.ts, -v's
 * grammar in vlog-spec.ts, the unixctl commands in vlog-commands.ts.
 */
import { type Clock, systemClock } from '../lib/clock.ts';
import { strerror } from '../lib/strerror.ts';
import {
  DESTINATIONS,
  type Destination,
  FACILITIES,
  LEVELS,
  type Level,
  type MessageLevel,
} from './levels.ts';
import { LogFile } from './log-file.ts';
import type { Syslog } from './syslog.ts';
import { VlogModule, type VlogSink } from './vlog-module.ts';
import { DEFAULT_PATTERNS, formatRecord, type LogRecord } from './vlog-pattern.ts';
import { parseVlogSpec } from './vlog-spec.ts';

export interface VlogSettings {
  /** The program's name, such as `ovsdb-server`. */
  program: string;
  /** Those whose code may be loaded later. */
  modules?: readonly string[];
  clock?: Clock;
  wallClock?: () => Date;
  writeConsole?: (text: string) => void;
}

export class Vlog implements VlogSink {
  readonly program: string;
  /** What %t and %T show: '' in the primary process. */
  subprogram = '';
  /** Where messages for syslog go: first the system's, then --syslog-target's. */
  syslogs: Syslog[] = [];
  readonly patterns: Record<Destination, string> = { ...DEFAULT_PATTERNS };
  readonly #modules = new Map<string, VlogModule>();
  readonly #clock: Clock;
  readonly #wallClock: () => Date;
  readonly #writeConsole: (text: string) => void;
  readonly #start: number;
  #file: LogFile | undefined;
  /** 0 counts as not set, as in stock, so `kern` is the default's other name. */
  #facility = 0;
  #serial = 0;

  constructor({ program, modules = [], clock, wallClock, writeConsole }: VlogSettings) {
    this.program = program;
    this.#clock = clock ?? systemClock;
    this.#wallClock = wallClock ?? (() => new Date());
    this.#writeConsole = writeConsole ?? ((text) => process.stderr.write(text));
    this.#start = this.#clock.now();
    for (const name of ['vlog', ...modules]) this.module(name);
  }

  module(name: string): VlogModule {
    const known = this.#modules.get(name);
    if (known !== undefined) return known;
    const module = new VlogModule(name, this, this.#clock);
    this.#modules.set(name, module);
    return module;
  }

  /** In order of their names. */
  modules(): readonly VlogModule[] {
    return [...this.#modules.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Does what -v SPEC or vlog/set SPEC says. @throws TapflowError BAD_VLOG_SPEC */
  set(spec: string): void {
    const setting = parseVlogSpec(spec, this.#modules.keys());
    if (setting.kind === 'levels') this.#setLevels(setting);
    else if (setting.kind === 'facility') this.#facility = setting.facility;
    else {
      const { destination, pattern } = setting;
      for (const each of destination ? [destination] : DESTINATIONS) this.patterns[each] = pattern;
    }
  }

  /** From now on the log goes to this file as well; when it cannot be opened, that is logged. */
  openFile(path: string): void {
    this.#replaceFile(new LogFile(path));
  }

  get hasFile(): boolean {
    return this.#file !== undefined;
  }

  /** After the file was renamed: goes on in a new one of the old name. @throws NodeJS.ErrnoException */
  reopenFile(): void {
    if (this.#file === undefined || this.#file.isCurrent()) return;
    const failure = this.#replaceFile(new LogFile(this.#file.path));
    if (failure !== undefined) throw failure;
  }

  closeFile(): void {
    this.#file?.close();
  }

  /** Whether a message would go anywhere. */
  isEnabled(module: VlogModule, level: MessageLevel): boolean {
    return DESTINATIONS.some((destination) => this.#isWanted(destination, module, level));
  }

  write(module: VlogModule, level: MessageLevel, message: string): void {
    const wanted = DESTINATIONS.filter((each) => this.#isWanted(each, module, level));
    if (wanted.length === 0) return;
    const record = this.#record(module, level, message);
    if (wanted.includes('console')) this.#writeConsole(`${this.#format('console', record)}\n`);
    if (wanted.includes('syslog')) this.#writeSyslog(record);
    if (wanted.includes('file')) this.#file?.write(`${this.#format('file', record)}\n`);
  }

  #replaceFile(file: LogFile): Error | undefined {
    const log = this.module('vlog');
    try {
      file.open();
    } catch (error) {
      log.warn(`failed to open ${file.path} for logging: ${strerror(error)}`);
      return error as Error;
    }
    if (this.#file?.isOpen) log.info('closing log file');
    this.#file?.close();
    this.#file = file;
    log.info(`opened log file ${file.path}`);
    return undefined;
  }

  #setLevels(setting: { module?: string; destination?: Destination; level: Level }): void {
    const { module, destination, level } = setting;
    for (const each of this.#modules.values()) {
      if (module !== undefined && each.name !== module) continue;
      for (const one of destination ? [destination] : DESTINATIONS) each.levels[one] = level;
    }
  }

  #isWanted(destination: Destination, module: VlogModule, level: MessageLevel): boolean {
    if (destination === 'file' && !this.#file?.isOpen) return false;
    return LEVELS.indexOf(level) <= LEVELS.indexOf(module.levels[destination]);
  }

  #record(module: VlogModule, level: MessageLevel, message: string): LogRecord {
    const { program, subprogram } = this;
    return {
      ...{ program, subprogram, module: module.name, level, message },
      serial: ++this.#serial,
      facility: this.#facility || LOCAL0,
      time: this.#wallClock(),
      uptime: this.#clock.now() - this.#start,
    };
  }

  #format(destination: Destination, record: LogRecord): string {
    return formatRecord(this.patterns[destination], record);
  }

  /** Syslog knows lines: each line of a message is sent on its own. */
  #writeSyslog(record: LogRecord): void {
    const lines = this.#format('syslog', record).split('\n');
    for (const { header, send } of this.syslogs) {
      const start = formatRecord(header, record);
      for (const line of lines) if (line !== '') send(start + line);
    }
  }
}

/** The default. */
const LOCAL0 = FACILITIES.get('local0') ?? 0;
