/**
 * Words inside an argument such as `other-config:"a b"=c`: up to a delimiter
 * that stands outside of double quotes. A backslash takes what follows it as
 * it is; inside of quotes it stays, for the string's own parser.
 */
import { VsctlError } from './failure.ts';

export interface Token {
  text: string;
  /** Where it ends in the argument. */
  end: number;
}

/** @throws VsctlError */
export function readToken(argument: string, start: number): Token {
  const out: string[] = [];
  let isQuoted = false;
  let at = start;
  while (at < argument.length && (isQuoted || !isDelimiter(argument[at]))) {
    const character = argument[at++];
    if (character === '\\') {
      if (at === argument.length) throw fault(argument, start, 'backslash at end of argument');
      if (isQuoted) out.push('\\');
      out.push(argument[at++]);
    } else {
      if (character === '"') isQuoted = !isQuoted;
      out.push(character);
    }
  }
  if (isQuoted) throw fault(argument, start, 'quoted string extends past end of argument');
  return { text: out.join(''), end: at };
}

export const isDelimiter = (character: string): boolean => ':=, []{}!<>'.includes(character);

function fault(argument: string, start: number, what: string): VsctlError {
  return new VsctlError(`${argument.slice(start)}: ${what}`);
}
