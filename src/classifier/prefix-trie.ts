/**
 * A set of prefixes (with a count each) that answers, for one value: prefixes
 * of which lengths match it, and how many leading bits had to be looked at to
 * know.
 *
 * The classifier keeps one per address field. A subtable whose rules all have
 * /24 there need not be searched if no /24 in the trie matches the flow, and
 * the flow's cache entry then depends on those few leading bits only: a rule
 * for one host does not turn every flow to other hosts into a cache entry of
 * its own.
 *
 * It is a binary trie with paths compressed. Values are up to 128 bits, most
 * significant word first, in four numbers: a shorter field leaves the rest 0.
 */

/** Lengths 0 to 128, a bit each. */
const LENGTH_WORDS = 5;

interface Node {
  /** The prefix that leads here: its length, and its bits (0 beyond the length). */
  readonly length: number;
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  /** How often this very prefix was inserted; 0 for a mere fork. */
  count: number;
  zero: Node | undefined;
  one: Node | undefined;
}

export class PrefixTrie {
  /** Result of `lookup`: how many leading bits decide which prefixes match. */
  checkedBits = 0;
  readonly #matched = new Int32Array(LENGTH_WORDS);
  /** The empty prefix, of which every value is an extension. */
  readonly #root: Node = leaf(0, 0, 0, 0, 0, 0);

  /** Takes in the first `length` bits of the value, 0 to 128. */
  insert(length: number, w0: number, w1 = 0, w2 = 0, w3 = 0): void {
    insertBelow(this.#root, prefixOf(length, w0, w1, w2, w3));
  }

  /** Takes one occurrence of the prefix out again; it must be there. */
  remove(length: number, w0: number, w1 = 0, w2 = 0, w3 = 0): void {
    removeBelow(this.#root, prefixOf(length, w0, w1, w2, w3));
  }

  /** Finds what matches a value; the answer is in `matches` and `checkedBits` until the next call. */
  lookup(w0: number, w1: number, w2: number, w3: number): void {
    const matched = this.#matched;
    for (let i = 0; i < LENGTH_WORDS; i++) matched[i] = 0;
    let node = this.#root;
    for (;;) {
      if (node.count > 0) matched[node.length >>> 5] |= 1 << (node.length & 31);
      this.checkedBits = node.length;
      if (node.zero === undefined && node.one === undefined) return;
      this.checkedBits = node.length + 1;
      const child = bitAt(node.length, w0, w1, w2, w3) === 0 ? node.zero : node.one;
      if (child === undefined) return;
      const same = commonBits(child, w0, w1, w2, w3);
      if (same < child.length) {
        this.checkedBits = same + 1;
        return;
      }
      node = child;
    }
  }

  /** Whether some prefix of this length matched the value last looked up. */
  matches(length: number): boolean {
    return (this.#matched[length >>> 5] & (1 << (length & 31))) !== 0;
  }
}

/** The first `length` bits (at most 32) set. */
export function prefixMask(length: number): number {
  return length === 0 ? 0 : -1 << (32 - length);
}

function leaf(length: number, w0: number, w1: number, w2: number, w3: number, count: number): Node {
  return { length, w0, w1, w2, w3, count, zero: undefined, one: undefined };
}

function prefixOf(length: number, w0: number, w1: number, w2: number, w3: number): Node {
  const bits = (first: number) => prefixMask(Math.min(32, Math.max(0, length - first)));
  return leaf(length, w0 & bits(0), w1 & bits(32), w2 & bits(64), w3 & bits(96), 1);
}

/** Number of leading bits in which a node's prefix and a value agree; what is beyond its length counts as 0. */
function commonBits(node: Node, w0: number, w1: number, w2: number, w3: number): number {
  if (node.w0 !== w0) return Math.clz32(node.w0 ^ w0);
  if (node.w1 !== w1) return 32 + Math.clz32(node.w1 ^ w1);
  if (node.w2 !== w2) return 64 + Math.clz32(node.w2 ^ w2);
  return 96 + Math.clz32(node.w3 ^ w3);
}

function bitAt(position: number, w0: number, w1: number, w2: number, w3: number): number {
  const word = position < 64 ? (position < 32 ? w0 : w1) : position < 96 ? w2 : w3;
  return (word >>> (31 - (position & 31))) & 1;
}

/** @returns the subtree with the prefix in it, `node` itself if that is still its top */
function insertBelow(node: Node, prefix: Node): Node {
  const same = Math.min(commonLength(node, prefix), node.length, prefix.length);
  if (same === node.length && same === prefix.length) {
    node.count++;
    return node;
  }
  if (same === node.length) {
    setChild(node, prefix, (child) => (child === undefined ? prefix : insertBelow(child, prefix)));
    return node;
  }
  const fork = same === prefix.length ? prefix : forkAt(same, prefix);
  setChild(fork, node, () => node);
  if (fork !== prefix) setChild(fork, prefix, () => prefix);
  return fork;
}

/** @returns the subtree without the prefix, undefined if nothing is left of it */
function removeBelow(node: Node, prefix: Node): Node | undefined {
  if (node.length === prefix.length) node.count--;
  else setChild(node, prefix, (child) => child && removeBelow(child, prefix));
  if (node.count > 0 || (node.zero !== undefined && node.one !== undefined)) return node;
  return node.zero ?? node.one;
}

function commonLength(a: Node, b: Node): number {
  return commonBits(a, b.w0, b.w1, b.w2, b.w3);
}

function forkAt(length: number, below: Node): Node {
  const fork = prefixOf(length, below.w0, below.w1, below.w2, below.w3);
  fork.count = 0;
  return fork;
}

/** Replaces the child of `parent` on the path to `below`. */
function setChild(
  parent: Node,
  below: Node,
  change: (child: Node | undefined) => Node | undefined,
): void {
  if (bitAt(parent.length, below.w0, below.w1, below.w2, below.w3) === 0) {
    parent.zero = change(parent.zero);
  } else {
    parent.one = change(parent.one);
  }
}
