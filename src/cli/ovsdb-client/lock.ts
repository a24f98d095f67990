/**
 * `ovsdb-client lock`, `steal` and `unlock`: asks for it, prints the answer
 * and what the server tells of it later. With --detach it goes to the
 * background, where `ovs-appctl` can ask for more on the same connection.
 */
import { formatJson } from '../../lib/json-text.ts';
import type { Context, Handler } from './command.ts';
import { stayConnected } from './stay-connected.ts';

type Method = 'lock' | 'steal' | 'unlock';

const METHODS: readonly Method[] = ['lock', 'steal', 'unlock'];

export const lockHandler =
  (method: Method): Handler =>
  (context) =>
    stayConnected(
      context,
      METHODS.map((each) => unixctlCommand(context, each)),
      async () => {
        context.server.onNotification = (name, params) => {
          context.print(`${name}\n${formatJson(params)}\n`);
        };
        await ask(context, method, context.args[0]);
      },
    );

/** A refusal is not shown, as in stock. */
async function ask(context: Context, method: Method, lock: string): Promise<void> {
  const reply = await context.server.request(method, [lock]).catch((error) => {
    if (error.code !== 'REFUSED') throw error;
  });
  if (reply !== undefined) context.printJson(reply);
}

function unixctlCommand(context: Context, name: Method) {
  const run = ([lock]: readonly string[]): string => {
    ask(context, name, lock).catch(() => {});
    return '';
  };
  return { name, usage: 'LOCK', minArgs: 1, maxArgs: 1, run };
}
