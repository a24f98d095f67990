import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createSwitch } from 'tapflow';
import { expect, it } from 'vitest';

const EXAMPLES = new URL('../../examples/', import.meta.url);
const files = readdirSync(fileURLToPath(EXAMPLES)).filter((name) => name.endsWith('.yaml'));

/** The same topology without devices. */
function onDummies(text: string): string {
  return text
    .replace(/type: (tap|system|internal)/g, 'type: dummy')
    .replace(/,? *(netns|addresses): *(\[[^\]]*\]|[\w-]+)/g, '');
}

it.each(files)('examples/%s comes up, every port and flow of it', async (file) => {
  const text = readFileSync(new URL(file, EXAMPLES), 'utf8');
  const sw = await createSwitch({ config: onDummies(text) });
  expect(sw.ports().length).toBeGreaterThan(1);
  await sw.close();
});
