/** docs/schema.md, made from the declarations in src/schema/. */
import { tables } from '../../src/schema/schema.ts';
import type { AnyTable, Column } from '../../src/schema/table-definition.ts';

export function schemaPage(): string {
  return `${[HEAD, contents(), ...all.map(([name, table]) => section(name, table))].join('\n\n')}\n`;
}

const all: [string, AnyTable][] = Object.entries(tables);

const HEAD = `# The database

The database \`Open_vSwitch\`, schema version 8.3.1, holds the configuration of the switch and its
status. Tables, columns and types are those of Open vSwitch 3.1, whose manual page
ovs-vswitchd.conf.db(5) has the long form of what stands here, with the keys of \`options\`,
\`other_config\` and \`status\`.

A row that no other row refers to is deleted, except in the tables marked *root*. A weak reference
does not count, and goes away with the row it points to. An *immutable* column is set when a row is
inserted and never again; an *ephemeral* one is not kept when the database server restarts.

This page is made from the declarations in \`src/schema/\`; a test holds it up to date, and
\`npx vitest run -u test/schema\` rewrites it.`;

const contents = (): string =>
  [
    '| Table | |',
    '|---|---|',
    ...all.map(([name, { about }]) => `| ${link(name)} | ${about} |`),
  ].join('\n');

function section(name: string, { about, settings, columns }: AnyTable): string {
  const rows = Object.entries(columns).map(
    ([column, value]) => `| \`${column}\` | ${typeOf(value)} | ${value.about} |`,
  );
  return [`## ${name}`, [about, ...notes(settings)].join(' '), tableOf(rows)].join('\n\n');
}

const tableOf = (rows: readonly string[]): string =>
  ['| Column | Type | |', '|---|---|---|', ...rows].join('\n');

function notes({ isRoot, maxRows, indexes }: AnyTable['settings']): string[] {
  const sets = indexes?.map((names) => names.map((name) => `\`${name}\``).join(' and ')) ?? [];
  return [
    ...(isRoot ? ['*Root.*'] : []),
    ...(maxRows === undefined ? [] : [`At most ${maxRows} row.`]),
    ...sets.map((names) => `Unique: ${names}.`),
  ];
}

function typeOf({ text, isMutable, isEphemeral }: Column<unknown>): string {
  const flags = [...(isMutable ? [] : ['*immutable*']), ...(isEphemeral ? ['*ephemeral*'] : [])];
  const linked = text.replace(/(?<=reference to )\w+/g, link);
  return [linked, ...flags].join('; ');
}

const link = (name: string): string => `[${name}](#${name.toLowerCase()})`;
