/** ovs-vsctl(8), "SSL Configuration". */
import type { Attempt } from '../attempt.ts';
import type { Command, CommandSyntax, Preparation } from '../command.ts';
import { ROOT_TABLE } from '../record-names.ts';
import { NOTHING, one } from '../values.ts';

export const getSsl: CommandSyntax = {
  name: 'get-ssl',
  min: 0,
  max: 0,
  usage: '',
  options: [],
  writes: false,
  prepare: needSsl,
  run(context) {
    const { attempt } = context;
    const uuid = sslOf(attempt);
    if (uuid === undefined) return;
    const row = attempt.row('SSL', uuid);
    for (const [column, label] of COLUMNS) {
      attempt.edit.verify('SSL', uuid, column);
      context.print(`${label}: ${attempt.read(row, column).keys[0]}`);
    }
  },
};

export const delSsl: CommandSyntax = {
  name: 'del-ssl',
  min: 0,
  max: 0,
  usage: '',
  options: [],
  writes: true,
  prepare: needSsl,
  run: ({ attempt }) => deleteSsl(attempt),
};

export const setSsl: CommandSyntax = {
  name: 'set-ssl',
  min: 3,
  max: 3,
  usage: '!PRIVATE-KEY !CERTIFICATE !CA-CERT',
  options: ['--bootstrap'],
  writes: true,
  prepare: needSsl,
  run(context) {
    const { attempt } = context;
    const [privateKey, certificate, caCert] = context.args;
    deleteSsl(attempt);
    const uuid = attempt.edit.insert('SSL', {
      private_key: one(privateKey),
      certificate: one(certificate),
      ca_cert: one(caCert),
      bootstrap_ca_cert: one(context.has('--bootstrap')),
    });
    attempt.edit.set(ROOT_TABLE, attempt.root, 'ssl', one(uuid));
  },
};

const COLUMNS = [
  ['private_key', 'Private key'],
  ['certificate', 'Certificate'],
  ['ca_cert', 'CA Certificate'],
  ['bootstrap_ca_cert', 'Bootstrap'],
] as const;

function needSsl(_command: Command, { needs }: Preparation): void {
  needs.add(ROOT_TABLE, 'ssl');
  needs.add('SSL', ...COLUMNS.map(([column]) => column));
}

function sslOf({ edit, root }: Attempt): string | undefined {
  edit.verify(ROOT_TABLE, root, 'ssl');
  const [uuid] = edit.get(ROOT_TABLE, root)?.get('ssl').keys ?? [];
  return edit.get('SSL', String(uuid))?.uuid;
}

function deleteSsl(attempt: Attempt): void {
  const uuid = sslOf(attempt);
  if (uuid === undefined) return;
  attempt.edit.remove('SSL', uuid);
  attempt.edit.set(ROOT_TABLE, attempt.root, 'ssl', NOTHING);
}
