/** Colours, where somebody looks: not in a pipe, not with NO_COLOR. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

export function paint(coloured: boolean): Paint {
  const style = (code: number) => (text: string) =>
    coloured ? `\x1b[${code}m${text}\x1b[0m` : text;
  return { bold: style(1), dim: style(2), good: style(32), bad: style(31) };
}
