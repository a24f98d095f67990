/** What a command of ovsdb-client has at hand, and what the table of commands says of one. */
import type { DaemonArguments } from '../../daemon/options.ts';
import type { DaemonProcess } from '../../daemon/run.ts';
import type { Vlog } from '../../daemon/vlog.ts';
import { TapflowError } from '../../lib/error.ts';
import type { Json } from '../../lib/json.ts';
import { formatJson, parseJson } from '../../lib/json-text.ts';
import { TableFormatter } from '../ovs-table/formatter.ts';
import type { TableStyle } from '../ovs-table/style.ts';
import type { Table } from '../ovs-table/table.ts';
import type { Server } from './server.ts';

export interface ClientOptions {
  readonly style: TableStyle;
  /** Whether a monitor's tables show when they were printed. */
  readonly timestamp: boolean;
  /** Whether a monitor asks to be told that its database is gone, in place of a lost connection. */
  readonly isChangeAware: boolean;
  /** Whether `restore` may go on with another schema. */
  readonly force: boolean;
}

export interface ContextParts {
  readonly server: Server;
  /** Empty for a command that is not about one. */
  readonly database: string;
  /** Those behind server and database. */
  readonly args: readonly string[];
  readonly options: ClientOptions;
  readonly daemon: DaemonArguments;
  readonly vlog: Vlog;
  /** Defined when options of daemons were given. */
  readonly background: DaemonProcess | undefined;
  readonly print: (text: string) => void;
}

export class Context implements ContextParts {
  readonly server: Server;
  readonly database: string;
  readonly args: readonly string[];
  readonly options: ClientOptions;
  readonly daemon: DaemonArguments;
  readonly vlog: Vlog;
  readonly background: DaemonProcess | undefined;
  readonly print: (text: string) => void;
  readonly #formatter: TableFormatter;

  constructor(parts: ContextParts) {
    this.server = parts.server;
    this.database = parts.database;
    this.args = parts.args;
    this.options = parts.options;
    this.daemon = parts.daemon;
    this.vlog = parts.vlog;
    this.background = parts.background;
    this.print = parts.print;
    this.#formatter = new TableFormatter(parts.options.style);
  }

  printTable(table: Table): void {
    this.print(this.#formatter.format(table));
  }

  printJson(json: Json): void {
    this.print(`${formatJson(json, { sorted: true, pretty: this.options.style.pretty })}\n`);
  }
}

/** @returns the exit code, if it is not 0 */
export type Handler = (context: Context) => Promise<number | undefined> | Promise<void>;

export interface Command {
  readonly name: string;
  /** What the connection is to be about. */
  readonly needs: 'nothing' | 'server' | 'database';
  readonly minArgs: number;
  readonly maxArgs: number;
  /** Whether it goes on until the connection ends, so that the options of daemons have a meaning. */
  readonly isLasting?: boolean;
  /** Loads its code. */
  handler(): Promise<Handler>;
}

/** JSON given on the command line. @throws TapflowError BAD_ARGUMENT */
export function parseArgument(text: string): Json {
  try {
    return parseJson(text);
  } catch (cause) {
    throw new TapflowError('BAD_ARGUMENT', `"${text}": ${(cause as Error).message}`, { cause });
  }
}
