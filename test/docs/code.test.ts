/** Code in the docs compiles, runs, and prints what the comments beside it say. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { parseTopology } from '../../src/config/yaml.ts';
import { blocksIn, ROOT } from './pages.ts';

const programs = blocksIn('ts').map((block, n) => ({ ...block, name: `block-${n}.ts` }));

/** Inside the package, so that its own name can be imported; git ignores build/. */
let folder: string;

beforeAll(() => {
  mkdirSync(path.join(ROOT, 'build'), { recursive: true });
  folder = mkdtempSync(path.join(ROOT, 'build', 'docs-'));
  for (const { name, text } of programs) writeFileSync(path.join(folder, name), text);
  const compilerOptions = { noEmit: true, rootDir: ROOT, rewriteRelativeImportExtensions: false };
  const config = { extends: path.join(ROOT, 'tsconfig.json'), compilerOptions, include: ['.'] };
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('there are programs in the docs', () => {
  expect(programs.length).toBeGreaterThan(3);
});

it('the programs in the docs compile', () => {
  const tsc = path.join(ROOT, 'node_modules', '.bin', 'tsc');
  const compile = () => execFileSync(tsc, ['-p', folder], { encoding: 'utf8' });
  expect(compile()).toBe('');
});

it.each(programs)('the program at $place prints what it says', async ({ name, text }) => {
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...args) => {
    printed.push(format(...args));
  });
  try {
    await import(/* @vite-ignore */ pathToFileURL(path.join(folder, name)).href);
  } finally {
    log.mockRestore();
  }
  for (const [, promised] of text.matchAll(/console\.log\(.*\/\/ (.*)$/gm)) {
    expect(printed).toContain(promised);
  }
});

it.each(blocksIn('yaml'))('the topology at $place is accepted', ({ text }) => {
  expect(parseTopology(text, 'file').bridges).not.toEqual([]);
});
