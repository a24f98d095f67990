/** The pages that people read, and the code blocks in them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Block {
  /** What stands after the opening fence: ts, yaml, console ... */
  language: string;
  text: string;
  /** `docs/library.md:12`, for the names of tests. */
  place: string;
}

export interface Page {
  /** Relative to the root. */
  file: string;
  text: string;
  blocks: Block[];
}

export const PAGES: readonly Page[] = [
  'README.md',
  'CHANGELOG.md',
  ...markdownIn('docs'),
  ...markdownIn('docs/adr'),
].map(readPage);

export const blocksIn = (language: string): Block[] =>
  PAGES.flatMap(({ blocks }) => blocks).filter((block) => block.language === language);

function markdownIn(folder: string): string[] {
  const names = readdirSync(path.join(ROOT, folder)).filter((name) => name.endsWith('.md'));
  return names.map((name) => `${folder}/${name}`);
}

function readPage(file: string): Page {
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  const blocks = [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map((found) => ({
    language: found[1],
    text: found[2],
    place: `${file}:${text.slice(0, found.index).split('\n').length}`,
  }));
  return { file, text, blocks };
}
