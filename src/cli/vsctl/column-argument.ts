/**
 * Arguments that name a column, maybe a key in it, maybe with an operator and a
 * value: `COLUMN[:KEY]`, `COLUMN[:KEY]=VALUE`, `COLUMN[:KEY]{<=}VALUE`.
 */
import type { ColumnSchema, TableSchema } from '../../ovsdb/data/schema.ts';
import { VsctlError } from './failure.ts';
import { findColumn } from './names.ts';
import { readToken } from './token.ts';

export interface ColumnArgument {
  readonly column: ColumnSchema;
  readonly key: string | undefined;
}

export interface ColumnComparison<Operator extends string> extends ColumnArgument {
  readonly operator: Operator;
  readonly value: string;
}

/** @throws VsctlError */
export function parseColumnAndKey(argument: string, table: TableSchema): ColumnArgument {
  const { end, ...parsed } = parseBeginning(argument, table);
  if (end === argument.length) return parsed;
  throw new VsctlError(`${argument}: trailing garbage "${argument.slice(end)}" in argument`);
}

/** @throws VsctlError */
export function parseComparison<Operator extends string>(
  argument: string,
  table: TableSchema,
  operators: readonly Operator[],
): ColumnComparison<Operator> {
  const { end, ...parsed } = parseBeginning(argument, table);
  const rest = argument.slice(end);
  const [operator] = operators
    .filter((each) => rest.startsWith(each) && rest.length > each.length)
    .sort((a, b) => b.length - a.length);
  if (operator === undefined) throw noOperator(argument, operators);
  return { ...parsed, operator, value: rest.slice(operator.length) };
}

/** The column alone, for what is to be copied from the server. @throws VsctlError */
export function columnOf(argument: string, table: TableSchema): ColumnSchema {
  return parseName(argument, table).column;
}

function parseName(argument: string, table: TableSchema): { column: ColumnSchema; end: number } {
  const { text, end } = readToken(argument, 0);
  if (text === '') throw new VsctlError(`${argument}: missing column name`);
  return { column: findColumn(table, text), end };
}

function parseBeginning(argument: string, table: TableSchema): ColumnArgument & { end: number } {
  const { column, end } = parseName(argument, table);
  if (argument[end] !== ':') return { column, key: undefined, end };
  const key = readToken(argument, end + 1);
  return { column, key: key.text, end: key.end };
}

function noOperator(argument: string, operators: readonly string[]): VsctlError {
  const quoted = operators.map((each) => `"${each}"`);
  const last = quoted.pop();
  const all = quoted.length === 0 ? last : `${quoted.join(', ')}, or ${last}`;
  return new VsctlError(`${argument}: argument does not end in ${all} followed by a value.`);
}
