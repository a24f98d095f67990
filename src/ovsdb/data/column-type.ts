/**
 * Column types: base types with the number of members a value may have (RFC
 * 7047 3.2, <type>). A scalar has exactly one; a map has a value for each key.
 */
import type { BaseType } from './base-type.ts';

export interface ColumnType {
  readonly key: BaseType;
  /** Makes it a map. */
  readonly value?: BaseType;
  readonly min: 0 | 1;
  /** UNLIMITED, or less. */
  readonly max: number;
}

/** How stock writes "unlimited" where it prints a number: UINT_MAX. */
export const UNLIMITED = 0xffff_ffff;

export const isMap = (type: ColumnType): boolean => type.value !== undefined;

export const isScalar = (type: ColumnType): boolean =>
  type.value === undefined && type.min === 1 && type.max === 1;

export const isSet = (type: ColumnType): boolean => type.value === undefined && !isScalar(type);

/** Of values of other types, a difference is the new value whole. */
export const isComposite = (type: ColumnType): boolean => type.max > 1;

/** As messages name it: "string", "set of up to 2 integers", "map of (string, string) pairs". */
export function typeToEnglish(type: ColumnType): string {
  if (isScalar(type)) return type.key.type;
  const size = sizeToEnglish(type);
  if (type.value === undefined) return `set${size} ${type.key.type}s`;
  return `map${size} (${type.key.type}, ${type.value.type}) pairs`;
}

function sizeToEnglish({ min, max }: ColumnType): string {
  if (max === UNLIMITED) return min > 0 ? ` of ${min} or more` : ' of';
  return min > 0 ? ` of ${min} to ${max}` : ` of up to ${max}`;
}
