/**
 * Which folder may import which (docs/architecture.md has the picture): down or
 * sideways, never up. The table is the rule; this test reads every import in
 * src/ and holds it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseSync } from 'oxc-parser';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../src');

/** A folder, or a file directly in src/, and what it may import beside itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  lib: [],
  'native.ts': ['lib'],
  wire: ['lib'],
  flow: ['wire', 'lib'],
  classifier: ['flow', 'lib'],
  dpif: ['flow', 'wire', 'lib'],
  openflow: ['flow', 'wire', 'lib'],
  ports: ['dpif', 'native.ts', 'lib'],
  datapath: ['ports', 'dpif', 'flow', 'wire', 'native.ts', 'lib'],
  ofproto: ['openflow', 'classifier', 'dpif', 'flow', 'wire', 'lib'],
  config: ['lib'],
  schema: ['lib'],
  unixctl: ['lib'],
  daemon: ['native.ts', 'lib'],
  ovsdb: ['unixctl', 'daemon', 'native.ts', 'lib'],
  vswitchd: [
    'ofproto',
    'openflow',
    'datapath',
    'config',
    'dpif',
    'flow',
    'wire',
    'ovsdb',
    'schema',
    'unixctl',
    'daemon',
    'native.ts',
    'lib',
  ],
  'index.ts': ['vswitchd', 'ofproto', 'datapath', 'config', 'dpif', 'wire', 'lib'],
  cli: ['index.ts', 'ovsdb', 'schema', 'unixctl', 'daemon', 'wire', 'lib'],
};

/** Packages, and who may use them: what is used in one place can be replaced there. */
const PACKAGES: Record<string, readonly string[]> = {
  piscina: ['datapath'],
  commander: ['cli'],
  yaml: ['config', 'cli'],
  'ipaddr.js': ['flow', 'wire', 'config', 'ports', 'openflow', 'cli'],
};

interface Import {
  file: string;
  from: string;
  to: string;
}

function imports(): Import[] {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return files.flatMap((file) => {
    const path = join(SRC, file);
    const { module } = parseSync(path, readFileSync(path, 'utf8'));
    const names = [
      ...module.staticImports.map((entry) => entry.moduleRequest.value),
      ...module.staticExports.flatMap((entry) =>
        entry.entries.flatMap(({ moduleRequest }) => (moduleRequest ? [moduleRequest.value] : [])),
      ),
    ];
    return names.map((name) => ({
      file,
      from: layerOf(file),
      to: name.startsWith('.') ? layerOf(relative(SRC, resolve(dirname(path), name))) : name,
    }));
  });
}

const layerOf = (file: string): string => file.split('/')[0];

describe('the architecture', () => {
  const all = imports();

  it('is read from the sources', () => {
    expect(all.length).toBeGreaterThan(100);
  });

  it('has a row for every folder', () => {
    expect(readdirSync(SRC).filter((entry) => !(entry in MAY_IMPORT))).toEqual([]);
  });

  it('imports down or sideways, never up', () => {
    const wrong = all.filter(
      ({ from, to }) => to in MAY_IMPORT && from !== to && !(MAY_IMPORT[from] ?? []).includes(to),
    );
    expect(wrong).toEqual([]);
  });

  it('uses packages only where the table says', () => {
    const wrong = all.filter(
      ({ from, to }) =>
        !(to in MAY_IMPORT) && !to.startsWith('node:') && !(PACKAGES[to] ?? []).includes(from),
    );
    expect(wrong).toEqual([]);
  });

  it('builds datapaths only in vswitchd and the library', () => {
    const wrong = all.filter(
      ({ from, to }) => to === 'datapath' && !['datapath', 'vswitchd', 'index.ts'].includes(from),
    );
    expect(wrong).toEqual([]);
  });
});
