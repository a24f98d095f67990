/**
 * Carries the commands out: all in one transaction, on the database as it is;
 * again when it has changed meanwhile, or when it is not yet as a command waits
 * for; and then until vswitchd has taken notice.
 */
import { TapflowError } from '../../lib/error.ts';
import type { Json } from '../../lib/json.ts';
import type { DatabaseSchema } from '../../ovsdb/data/schema.ts';
import { TableFormatter } from '../ovs-table/formatter.ts';
import { Attempt } from './attempt.ts';
import { type Command, Context } from './command.ts';
import { DatabaseConnection } from './connection.ts';
import type { Logs } from './logs.ts';
import type { Needs } from './needs.ts';
import type { Options } from './options.ts';
import { ROOT_TABLE } from './record-names.ts';
import { setupFaults } from './setup-faults.ts';
import { callerText, commit } from './transaction.ts';

export interface Session {
  readonly options: Options;
  readonly commands: readonly Command[];
  readonly needs: Needs;
  readonly logs: Logs;
  /** The command line as it was given. */
  readonly line: string;
  /** Commands' output, and what goes wrong after it. */
  print(text: string): void;
  complain(text: string): void;
}

/** @throws VsctlError */
export async function runSession(session: Session): Promise<void> {
  const { options, needs, logs } = session;
  const { schema } = needs;
  needs.add(ROOT_TABLE, ...(options.waits ? ['next_cfg', 'cur_cfg'] : []));
  const connection = new DatabaseConnection(options, needs.tables, logs);
  try {
    await connection.synced();
    const done = await carryOut(session, schema, connection);
    session.print(outputOf(done.contexts, options));
    await waitForSwitch(session, connection, done);
  } finally {
    connection.close();
  }
}

interface Done {
  readonly contexts: readonly Context[];
  readonly attempt: Attempt;
  readonly results: readonly Json[];
  /** What vswitchd is to reach; undefined if nobody waits for it. */
  readonly nextCfg: number | undefined;
}

async function carryOut(
  session: Session,
  schema: DatabaseSchema,
  connection: DatabaseConnection,
): Promise<Done> {
  for (;;) {
    const { version } = connection;
    const done = await tryOnce(session, schema, connection);
    if (done !== undefined) return done;
    await connection.changedSince(version);
  }
}

/** @returns undefined when the database must change first, or has. @throws VsctlError */
async function tryOnce(
  session: Session,
  schema: DatabaseSchema,
  { replica }: DatabaseConnection,
): Promise<Done | undefined> {
  const { options, logs } = session;
  const attempt = new Attempt(schema, replica, logs);
  const contexts: Context[] = [];
  for (const command of session.commands) {
    const context = new Context(command, attempt, command === session.commands.at(-1));
    command.syntax.run(context);
    if (context.mustWait) return undefined;
    contexts.push(context);
  }
  attempt.finish();
  attempt.symbols.check((message) => logs.vsctl.warn(message));
  const comment = `ovs-vsctl${callerText(logs)}: ${session.line}`;
  const { isDryRun } = options;
  const settings = { comment, counts: options.waits && !isDryRun, isDryRun };
  const outcome = await commit(replica, attempt, settings).catch(undefinedIfDisconnected);
  if (outcome === undefined) return undefined;
  const isDone = outcome.kind === 'done';
  const results = isDone ? outcome.results : [];
  for (const context of contexts) {
    context.command.syntax.finish?.(context, (uuid) => attempt.edit.uuidOf(uuid, results));
  }
  return { contexts, attempt, results, nextCfg: isDone ? outcome.nextCfg : undefined };
}

/** The connection's end is told by the connection itself, unless it is made anew. */
function undefinedIfDisconnected(error: unknown): undefined {
  if (error instanceof TapflowError && error.code === 'DISCONNECTED') return undefined;
  throw error;
}

function outputOf(contexts: readonly Context[], { style, isOneLine }: Options): string {
  const formatter = new TableFormatter(style);
  const texts = contexts.map(({ table, output }) => {
    if (table !== undefined) return formatter.format(table);
    return isOneLine ? `${oneLine(output)}\n` : output;
  });
  return texts.join('');
}

const oneLine = (text: string): string =>
  text.replace(/\n$/, '').replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

async function waitForSwitch(
  { complain }: Session,
  connection: DatabaseConnection,
  { attempt, results, nextCfg }: Done,
): Promise<void> {
  if (nextCfg === undefined) return;
  const { replica } = connection;
  connection.persist();
  const hasArrived = (): boolean =>
    [...replica.rows(ROOT_TABLE).values()].some(
      (row) => Number(row.get('cur_cfg').keys[0]) >= nextCfg,
    );
  for (;;) {
    const { version } = connection;
    if (hasArrived()) break;
    await connection.changedSince(version);
  }
  const uuids = attempt.newInterfaces.map((uuid) => attempt.edit.uuidOf(uuid, results));
  for (const fault of setupFaults(replica, uuids)) complain(fault);
}
