/**
 * Records what a translation does, as a tree, and prints it as `ofproto/trace`
 * does.
 *
 * A bridge holds the tables it enters, a table the actions of its rule, each
 * followed by remarks and, for resubmit, by the table that it led to. The
 * last of several goes on at its parent's depth: pipelines stay narrow.
 */
type TraceKind = 'bridge' | 'table' | 'action' | 'detail' | 'warning' | 'error';

export interface TraceNode {
  kind: TraceKind;
  text: string;
  nodes: TraceNode[];
}

export class TraceRecorder {
  readonly nodes: TraceNode[] = [];
  #current: TraceNode[] = this.nodes;

  note(kind: 'action' | 'detail' | 'warning' | 'error', text: string): void {
    this.#current.push({ kind, text, nodes: [] });
  }

  /** What follows belongs to this node. @returns what to give to `leave` */
  enter(kind: 'bridge' | 'table', text: string): TraceNode[] {
    const outer = this.#current;
    const node: TraceNode = { kind, text, nodes: [] };
    outer.push(node);
    this.#current = node.nodes;
    return outer;
  }

  leave(outer: TraceNode[]): void {
    this.#current = outer;
  }
}

/** The tree, as lines. */
export function formatTrace(nodes: readonly TraceNode[]): string {
  return lines(nodes, 0)
    .map((line) => `${line}\n`)
    .join('');
}

function lines(nodes: readonly TraceNode[], level: number): string[] {
  return nodes.flatMap((node, i) => {
    const isDeeper = i < nodes.length - 1 || !(node.kind === 'bridge' || node.kind === 'table');
    const depth = level + (isDeeper ? 1 : 0);
    const indent = ' '.repeat(depth * 4);
    return [...linesOf(node, indent), ...lines(node.nodes, isDeeper ? level + 2 : level)];
  });
}

function linesOf(node: TraceNode, indent: string): string[] {
  switch (node.kind) {
    case 'bridge':
      return ['', indent + node.text, indent + '-'.repeat(node.text.length)];
    case 'table':
    case 'action':
      return [indent + node.text];
    case 'detail':
      return [`${indent} -> ${node.text}`];
    case 'warning':
      return [`${indent} >> ${node.text}`];
    case 'error':
      return [`${indent} >>>> ${node.text} <<<<`];
  }
}
