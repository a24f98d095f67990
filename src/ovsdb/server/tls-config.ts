/**
 * The server's identity for ssl: and pssl: remotes: files named by options, or
 * by a column of a database. They are read when they are first needed, and
 * anew when they have changed.
 */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { strerror } from '../../lib/strerror.ts';
import type { TransactionChanges } from '../database/changes.ts';
import type { RpcLog } from '../rpc/log.ts';
import type { TlsFiles } from '../rpc/tls.ts';
import { findDbColumn, isDbColumn, stringsIn } from './db-column.ts';
import type { HostedDatabase } from './hosted-database.ts';

/** As given: a file, or `db:DATABASE,TABLE,COLUMN`. */
export interface TlsOptions {
  privateKey?: string;
  certificate?: string;
  caCert?: string;
}

type Part = keyof TlsOptions & keyof TlsFiles;

const PARTS: readonly Part[] = ['privateKey', 'certificate', 'caCert'];

interface Loaded {
  readonly file: string;
  readonly changed: number;
  readonly content: string;
}

export class TlsConfig {
  readonly #options: TlsOptions;
  readonly #databases: ReadonlyMap<string, HostedDatabase>;
  readonly #log: RpcLog;
  readonly #loaded = new Map<Part, Loaded>();
  #complaint = '';

  /** @throws TapflowError BAD_DB_COLUMN */
  constructor(options: TlsOptions, databases: ReadonlyMap<string, HostedDatabase>, log: RpcLog) {
    this.#databases = databases;
    this.#log = log;
    this.#options = { ...options };
    for (const part of PARTS) {
      const text = options[part];
      if (text === undefined) continue;
      if (isDbColumn(text)) findDbColumn(text, databases);
      // Before the daemon changes its directory.
      else if (text !== 'none') this.#options[part] = path.resolve(text);
    }
  }

  /** Whether a change of the database may be one of the files' names. */
  concerns(database: HostedDatabase, changes: TransactionChanges): boolean {
    return PARTS.some((part) => {
      const text = this.#options[part] ?? '';
      const [name, table = ''] = isDbColumn(text) ? text.slice('db:'.length).split(',') : [];
      return name === database.name && changes.has(table);
    });
  }

  /** What is not configured, or cannot be read, is missing. */
  files(): TlsFiles {
    this.refresh();
    const files: TlsFiles = {};
    for (const [part, { content }] of this.#loaded) files[part] = content;
    return files;
  }

  /** @returns whether something has changed */
  refresh(): boolean {
    const before = PARTS.map((part) => this.#loaded.get(part)?.content);
    for (const part of PARTS) this.#load(part);
    return PARTS.some((part, i) => this.#loaded.get(part)?.content !== before[i]);
  }

  #load(part: Part): void {
    const file = this.#fileOf(part);
    if (file === undefined) {
      this.#loaded.delete(part);
    } else if (file === 'none') {
      this.#loaded.set(part, { file, changed: 0, content: file });
    } else {
      this.#read(part, file);
    }
  }

  /** What was read before stays when the file has gone: it may be just being replaced. */
  #read(part: Part, file: string): void {
    try {
      const { mtimeMs: changed } = statSync(file);
      const loaded = this.#loaded.get(part);
      if (loaded?.file === file && loaded.changed === changed) return;
      this.#loaded.set(part, { file, changed, content: readFileSync(file, 'utf8') });
    } catch (error) {
      const complaint = `${file}: ${strerror(error)}`;
      if (complaint !== this.#complaint) this.#log('err', complaint);
      this.#complaint = complaint;
    }
  }

  #fileOf(part: Part): string | undefined {
    const text = this.#options[part];
    if (text === undefined || !isDbColumn(text)) return text;
    try {
      return stringsIn(findDbColumn(text, this.#databases)).find((name) => name !== '');
    } catch {
      // The database has been taken away.
      return undefined;
    }
  }
}
