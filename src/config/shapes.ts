/**
 * The shapes that the values of a topology file have: each knows how to say
 * what it takes, and how to read a node or say what is wrong with it.
 */
import { isMap, isScalar, isSeq, type Node, Scalar } from 'yaml';
import { closest } from './closest.ts';
import { isDeviceName, isInterfaceAddress, isNamespaceName, stationAddress } from './names.ts';
import { describeNode, type YamlSource } from './yaml-source.ts';

export interface Shape<T> {
  /** What it takes, as in "expected ...". */
  readonly takes: string;
  /** The value; undefined if the node has another shape, which is noted as a problem. */
  read(source: YamlSource, node: Node, key: string): T | undefined;
}

/** Any text. Numbers and booleans count as what stands in the file: `mac-aging-time: 300`. */
export const text: Shape<string> = {
  takes: 'text',
  read: (source, node, key) => readText(source, node) ?? mismatch(source, node, key, text),
};

export const deviceName: Shape<string> = checkedText(
  'a name of at most 15 bytes without "/", "\\", ":" and blanks',
  isDeviceName,
);

export const namespaceName: Shape<string> = checkedText(
  'the name of a network namespace, without "/" and blanks',
  isNamespaceName,
);

export const interfaceAddress: Shape<string> = checkedText(
  'an address with its prefix length, such as 10.0.0.1/24 or fd00::1/64',
  isInterfaceAddress,
);

/** The MAC address of one station, in lower case. */
export const stationMac: Shape<string> = {
  takes: 'a unicast MAC address, such as 02:00:00:00:00:01',
  read(source, node, key) {
    return stationAddress(readText(source, node) ?? '') ?? mismatch(source, node, key, stationMac);
  },
};

export function integer(min: number, max: number): Shape<number> {
  const shape: Shape<number> = {
    takes: `an integer from ${min} to ${max}`,
    read(source, node, key) {
      const actual = source.resolve(node);
      const value = isScalar(actual) ? actual.value : undefined;
      const isFitting = Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
      return isFitting ? Number(value) : mismatch(source, node, key, shape);
    },
  };
  return shape;
}

export function choice<const T extends string>(choices: readonly T[]): Shape<T> {
  const shape: Shape<T> = {
    takes: `one of ${choices.filter((choice) => choice !== '').join(', ')}`,
    read(source, node, key) {
      const value = readText(source, node);
      const found = choices.find((choice) => choice === value);
      return found ?? mismatch(source, node, key, shape, suggestion(value ?? '', choices));
    },
  };
  return shape;
}

/** A map from text to text, as Open vSwitch's other_config. */
export const textMap: Shape<Record<string, string>> = {
  takes: 'a map of texts',
  read(source, node, key) {
    const entries = readPairs(source, node);
    if (entries === undefined) return mismatch(source, node, key, textMap);
    return Object.fromEntries(
      entries.map(([name, value]) => [name, text.read(source, value, `${key}:${name}`) ?? '']),
    );
  },
};

/** Elements that have another shape are noted and left out. */
export function listOf<T>(element: Shape<T>): Shape<T[]> {
  const shape: Shape<T[]> = {
    takes: `a list: ${element.takes} each`,
    read(source, node, key) {
      const items = readItems(source, node);
      if (items === undefined) return mismatch(source, node, key, shape);
      return items
        .map((item) => element.read(source, item, key))
        .filter((value) => value !== undefined);
    },
  };
  return shape;
}

/** A flow, and where it stands: a line of the node's text. */
export interface PlacedFlow {
  readonly flow: string;
  readonly node: Node;
  readonly line: number;
}

/** Flows: a list, or a block of text with a flow a line; blank lines and comments are skipped. */
export const flowTexts: Shape<PlacedFlow[]> = {
  takes: 'a list of flows, or text with one flow a line',
  read(source, node, key) {
    const block = readText(source, node);
    const flows =
      block === undefined
        ? listOf(placedText).read(source, node, key)
        : linesOf(source, node, block);
    return flows
      ?.map((placed) => ({ ...placed, flow: placed.flow.replace(/(^|\s)#.*/, '').trim() }))
      .filter(({ flow }) => flow !== '');
  },
};

function linesOf(source: YamlSource, node: Node, block: string): PlacedFlow[] {
  const actual = source.resolve(node);
  return block.split('\n').map((flow, line) => ({ flow, node: actual, line }));
}

const placedText: Shape<PlacedFlow> = {
  takes: text.takes,
  read(source, node, key) {
    const flow = text.read(source, node, key);
    return flow === undefined ? undefined : { flow, node, line: 0 };
  },
};

/** " (did you mean ...?)", or nothing. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const meant = closest(word, candidates);
  return meant === undefined ? '' : ` (did you mean ${meant}?)`;
}

/** The pairs of a map with their keys; nothing at all is an empty map. Duplicates are noted. */
export function readPairs(
  source: YamlSource,
  node: Node,
): [name: string, value: Node][] | undefined {
  const actual = source.resolve(node);
  if (isNothing(actual)) return [];
  if (!isMap<Node, Node>(actual)) return undefined;
  const seen = new Set<string>();
  return actual.items.map(({ key, value }) => {
    const name = readText(source, key) ?? '';
    if (seen.has(name)) source.problem(key, `${name} is given twice`);
    seen.add(name);
    return [name, value ?? nothingAt(key)];
  });
}

/** The elements of a list; nothing at all is an empty list. */
function readItems(source: YamlSource, node: Node): Node[] | undefined {
  const actual = source.resolve(node);
  if (isNothing(actual)) return [];
  return isSeq<Node>(actual) ? actual.items : undefined;
}

/** The value of a key that stands alone, as in `{name}`. */
function nothingAt(key: Node): Node {
  const nothing = new Scalar(null);
  nothing.range = key.range;
  return nothing;
}

function isNothing(node: Node): boolean {
  return isScalar(node) && node.value === null;
}

function readText(source: YamlSource, node: Node): string | undefined {
  const actual = source.resolve(node);
  if (!isScalar(actual) || actual.value === null) return undefined;
  return typeof actual.value === 'string' ? actual.value : (actual.source ?? `${actual.value}`);
}

function checkedText(takes: string, isGood: (value: string) => boolean): Shape<string> {
  const shape: Shape<string> = {
    takes,
    read(source, node, key) {
      const value = readText(source, node);
      return value !== undefined && isGood(value) ? value : mismatch(source, node, key, shape);
    },
  };
  return shape;
}

function mismatch(
  source: YamlSource,
  node: Node,
  key: string,
  shape: Shape<unknown>,
  hint = '',
): undefined {
  const got = describeNode(source.resolve(node));
  source.problem(node, `${key}: expected ${shape.takes}, got ${got}${hint}`);
}
