/** Sends what an attempt has come to, and says what became of it. */
import { readFileSync } from 'node:fs';
import { isObject, type Json, type JsonObject } from '../../lib/json.ts';
import { formatJson } from '../../lib/json-text.ts';
import { strerror } from '../../lib/strerror.ts';
import type { Replica } from '../../ovsdb/replica/replica.ts';
import type { Attempt } from './attempt.ts';
import { VsctlError } from './failure.ts';
import type { Logs } from './logs.ts';
import { ROOT_TABLE } from './record-names.ts';

export interface CommitSettings {
  /** The command line, for the database's log. */
  comment: string;
  /** Whether vswitchd is to take notice of it, and say so. */
  counts: boolean;
  isDryRun: boolean;
}

/** Undefined: the database has changed meanwhile, begin anew. */
export type Outcome =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'done'; readonly results: readonly Json[]; readonly nextCfg?: number }
  | undefined;

/** @throws VsctlError when the server refuses it; TapflowError DISCONNECTED */
export async function commit(
  replica: Replica,
  attempt: Attempt,
  { comment, counts, isDryRun }: CommitSettings,
): Promise<Outcome> {
  const { edit, logs, refusal } = attempt;
  edit.comment(comment);
  if (refusal !== undefined) throw refused(refusal.toJson(), logs);
  if (edit.operations().length === 0) return { kind: 'unchanged' };
  const isCounted = counts && attempt.hasRoot;
  if (isCounted) edit.increment(ROOT_TABLE, attempt.root, 'next_cfg');
  const abort = isDryRun ? [{ op: 'abort' }] : [];
  const results = await replica.transact([...edit.operations(), ...abort]);
  if (!hasSucceeded(results, logs)) return undefined;
  return { kind: 'done', results, nextCfg: isCounted ? edit.incremented(results) : undefined };
}

/** @returns false when a "wait" did not hold. @throws VsctlError for any other error */
function hasSucceeded(results: readonly Json[], logs: Logs): boolean {
  const error = results.find(isHardError);
  if (error !== undefined) throw refused(error, logs);
  const isSoft = (result: Json): boolean => errorOf(result) === 'timed out';
  return !results.some((result) => result === null || isSoft(result)) || isAborted(results);
}

function refused(error: Json, { idl }: Logs): VsctlError {
  const text = formatJson(error, { sorted: true });
  idl.warn(`transaction error: ${text}`);
  return new VsctlError(`transaction error: ${text}`);
}

const errorOf = (result: Json): Json | undefined =>
  isObject(result) ? (result as JsonObject).error : undefined;

function isHardError(result: Json): boolean {
  const error = errorOf(result);
  return error !== undefined && error !== 'timed out' && error !== 'aborted';
}

/** At the end, as a dry run asks for. */
const isAborted = (results: readonly Json[]): boolean =>
  errorOf(results.at(-1) ?? null) === 'aborted';

/** Who has called us, for the database's log. */
export function callerText(logs: Logs): string {
  const file = `/proc/${process.ppid}/cmdline`;
  try {
    const [name] = readFileSync(file, 'utf8').split('\0');
    return ` (invoked by ${name})`;
  } catch (error) {
    logs.vsctl.warn(`${file}: open failed (${strerror(error)})`);
    return '';
  }
}
