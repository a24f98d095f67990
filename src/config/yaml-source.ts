/**
 * A YAML file being read: its nodes, and the problems found in it.
 *
 * Problems are collected, so that one reading shows them all, each with line
 * and column. What a file can cost is bounded before anything is built of it:
 * size, tokens, depth of nesting (the yaml package composes recursively, and
 * overflowing the stack inside a regular expression ends the process), and how
 * many values are read, which bounds what aliases multiply.
 */
import {
  type Alias,
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  visit,
} from 'yaml';
import { TapflowError } from '../lib/error.ts';

const MAX_SIZE = 16 * 1024 * 1024;
/** About 160,000 flows in a list; a block of text is one token. */
const MAX_TOKENS = 1_000_000;
/** A topology nests a dozen deep. */
const MAX_DEPTH = 64;
const MAX_VALUES = 500_000;
/** More would scroll the first ones away. */
const MAX_SHOWN = 50;

interface Problem {
  offset: number;
  message: string;
}

export class YamlSource {
  readonly root: Node | undefined;
  readonly #fileName: string;
  readonly #text: string;
  readonly #lines = new LineCounter();
  readonly #problems: Problem[] = [];
  readonly #document: Document.Parsed | undefined;
  #targets: Map<Alias, Node> | undefined;
  #valuesRead = 0;

  /** @throws TapflowError BAD_CONFIG if it is not YAML, or too much of it */
  constructor(text: string, fileName: string) {
    this.#fileName = fileName;
    this.#text = text;
    if (text.length > MAX_SIZE) {
      this.#refuse(0, `the file has ${text.length} characters; at most ${MAX_SIZE} are read`);
    }
    const [first, second] = this.#compose(this.#parse(text));
    if (second !== undefined) {
      this.#refuse(second.range[0], 'a second YAML document begins here; one file is one topology');
    }
    this.#document = first;
    this.root = first?.contents ?? undefined;
    for (const { pos, message } of [...(first?.errors ?? []), ...(first?.warnings ?? [])]) {
      this.#problems.push({ offset: pos[0], message });
    }
    this.finish();
  }

  /** Notes a problem with a node; without one, with the file as a whole. */
  problem(at: Node | undefined, message: string): void {
    this.#problems.push({ offset: at?.range?.[0] ?? 0, message });
  }

  /**
   * Notes a problem with one line of a text, 0 its first. Where lines of the
   * text are not lines of the file, the place is where the text begins.
   */
  problemInText(at: Node, line: number, message: string): void {
    const offset = at.range?.[0] ?? 0;
    const isBlock = isScalar(at) && at.type === 'BLOCK_LITERAL';
    const start = isBlock
      ? this.#lines.lineStarts[this.#lines.linePos(offset).line + line]
      : offset;
    const indent = isBlock ? this.#text.slice(start).search(/\S/) : 0;
    this.#problems.push({ offset: (start ?? offset) + Math.max(0, indent), message });
  }

  /** @throws TapflowError BAD_CONFIG that lists the problems found, if there are any */
  finish(): void {
    if (this.#problems.length === 0) return;
    const sorted = this.#problems.toSorted((a, b) => a.offset - b.offset);
    const lines = sorted.slice(0, MAX_SHOWN).map((problem) => this.#lineOf(problem));
    const more = sorted.length - lines.length;
    if (more > 0) lines.push(`... and ${more} more`);
    throw new TapflowError('BAD_CONFIG', lines.join('\n'));
  }

  /** The node itself, or what it is an alias of. Every value is to be read through this. */
  resolve(node: Node): Node {
    if (++this.#valuesRead > MAX_VALUES) {
      this.#refuse(node.range?.[0] ?? 0, `more than ${MAX_VALUES} values, aliases' included`);
    }
    if (!isAlias(node)) return node;
    this.#targets ??= aliasTargets(this.#document);
    const target = this.#targets.get(node);
    return target ?? this.#refuse(node.range?.[0] ?? 0, `there is no anchor "${node.source}"`);
  }

  /** Tokens become a tree of source text, without recursion. */
  #parse(text: string): CST.Token[] {
    const parser = new Parser(this.#lines.addNewLine);
    const tokens: CST.Token[] = [];
    let count = 0;
    this.#lines.addNewLine(0);
    for (const lexeme of new Lexer().lex(text)) {
      tokens.push(...parser.next(lexeme));
      if (++count > MAX_TOKENS) this.#refuse(parser.offset, `more than ${MAX_TOKENS} tokens`);
    }
    tokens.push(...parser.end());
    for (const token of tokens) this.#checkDepth(token);
    return tokens;
  }

  #checkDepth(document: CST.Token): void {
    const open = [{ token: document, depth: 0 }];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const depth = at.depth + 1;
      if (depth > MAX_DEPTH) {
        this.#refuse(at.token.offset, `nested more than ${MAX_DEPTH} deep`);
      }
      for (const token of childrenOf(at.token)) open.push({ token, depth });
    }
  }

  #compose(tokens: CST.Token[]): Document.Parsed[] {
    const options = { lineCounter: this.#lines, stringKeys: true, uniqueKeys: false };
    return [...new Composer(options).compose(tokens)];
  }

  #refuse(offset: number, message: string): never {
    throw new TapflowError('BAD_CONFIG', this.#lineOf({ offset, message }));
  }

  #lineOf({ offset, message }: Problem): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#fileName}:${Math.max(1, line)}:${Math.max(1, col)}: ${message}`;
  }
}

/** A node in an error message's words. */
export function describeNode(node: Node | null): string {
  if (isMap(node)) return 'a map';
  if (isSeq(node)) return 'a list';
  if (!isScalar(node) || node.value === null) return 'nothing';
  const shown = String(node.source ?? node.value);
  return JSON.stringify(shown.length > 60 ? `${shown.slice(0, 60)}...` : shown);
}

function childrenOf(token: CST.Token): CST.Token[] {
  if (token.type === 'document') return token.value ? [token.value] : [];
  if (!('items' in token)) return [];
  return token.items.flatMap(({ key, value }) => [key, value]).filter((child) => child != null);
}

/** An alias means the last node with its anchor before it. */
function aliasTargets(document: Document.Parsed | undefined): Map<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  if (document === undefined) return targets;
  visit(document, {
    Alias: (_, alias) => {
      const target = anchors.get(alias.source);
      if (target !== undefined) targets.set(alias, target);
    },
    Value: (_, node) => {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}
