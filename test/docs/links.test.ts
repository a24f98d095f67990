/** Links between pages lead somewhere. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { PAGES, type Page, ROOT } from './pages.ts';

const prose = ({ text }: Page): string => text.replace(/^```.*?^```$/gms, '');

/** As GitHub makes them from headings. */
const anchors = (page: Page): string[] =>
  [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );

const links = PAGES.flatMap((page) =>
  [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => ({ page: page.file, target }))
    .filter(({ target }) => !/^[a-z]+:/.test(target)),
);

it.each(links)('$page links to $target', ({ page, target }) => {
  const [file, anchor] = target.split('#');
  const found = file === '' ? page : path.join(path.dirname(page), file);
  expect(existsSync(path.join(ROOT, found))).toBe(true);
  const linked = PAGES.find((one) => one.file === found);
  if (anchor !== undefined) expect(linked && anchors(linked)).toContain(anchor);
});
