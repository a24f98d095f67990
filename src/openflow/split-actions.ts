/**
 * Splits an action list's text into its actions: `name`, `name:argument` or
 * `name(argument)`, apart from each other by commas or white space. Commas
 * inside parentheses belong to the argument.
 */
import { badAction } from './flow-error.ts';

export interface ActionText {
  /** In lower case, as all names are. */
  name: string;
  argument: string;
  isParenthesized: boolean;
  /** All of it, for messages. */
  text: string;
}

/** @throws TapflowError BAD_FLOW at unbalanced parentheses */
export function splitActions(text: string): ActionText[] {
  return pieces(text).map((piece) => {
    const found = /^([^:=(]+)(?:[:=](.*)|\((.*)\))?$/s.exec(piece);
    if (found === null) throw badAction(piece, 'is not an action: see ovs-actions(7)');
    return {
      name: found[1].toLowerCase(),
      argument: (found[2] ?? found[3] ?? '').trim(),
      isParenthesized: found[3] !== undefined,
      text: piece,
    };
  });
}

function pieces(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    const char = text[i] ?? ',';
    if (char === '(') depth++;
    if (char === ')') depth--;
    if (depth < 0 || (i === text.length && depth > 0)) {
      throw badAction(text, 'has unbalanced parentheses: close what is open');
    }
    if (depth > 0 || !/[,\s]/.test(char)) continue;
    if (i > start) found.push(text.slice(start, i));
    start = i + 1;
  }
  return found;
}
