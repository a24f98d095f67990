/**
 * A record of a database file, as ovsdb(5) has it: a line that says what
 * follows, and a line of JSON.
 *
 *     OVSDB JSON 28 4f1a...   magic, bytes of the next line with its line end, their SHA-1
 *     {"name":"x","tables":{}}
 */
import { createHash } from 'node:crypto';

/** The magic of a standalone database; that of a clustered one is CLUSTER. */
export const MAGIC = 'JSON';

/** Bytes within which a header line ends, its line end included: stock's buffer. */
export const MAX_HEADER_SIZE = 127;

export interface RecordHeader {
  readonly magic: string;
  /** Bytes of the body. */
  readonly length: number;
  /** 40 hexadecimal digits, in lower case. */
  readonly sha1: string;
}

/** @returns undefined for what is no header */
export function parseHeader(line: string): RecordHeader | undefined {
  const [, magic, digits, sha1] = HEADER.exec(line) ?? [];
  const length = Number(digits);
  if (!Number.isSafeInteger(length) || length === 0) return undefined;
  return { magic, length, sha1: sha1.toLowerCase() };
}

/**
 * @param json the record, without line ends
 * @returns header and body
 */
export function encodeRecord(json: string): Buffer[] {
  const body = Buffer.from(`${json}\n`);
  return [encodeHeader(body.length, sha1Of(body)), body];
}

export const encodeHeader = (length: number, sha1: string): Buffer =>
  Buffer.from(`OVSDB ${MAGIC} ${length} ${sha1}\n`);

const HEADER = /^OVSDB (\S+) (\d+) ([0-9a-fA-F]{40})$/;

const sha1Of = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('hex');
