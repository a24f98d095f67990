/**
 * Peers over TCP and TLS, on the loopback interface of a network namespace that
 * lives as long as the process in it (network-child.js, bundled as it is
 * TypeScript that it imports).
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'rolldown';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeSystem } from '../../system/requirements.ts';

const HERE = import.meta.dirname;

describeSystem('remotes on the network', () => {
  let directory: string;
  let results: Record<string, unknown>;

  beforeAll(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'tapflow-network-'));
    const child = path.join(directory, 'child.mjs');
    await build({
      input: path.join(HERE, 'network-child.js'),
      output: { file: child, format: 'esm' },
      platform: 'node',
      logLevel: 'silent',
    });
    const script = 'ip link set lo up && exec "$@"';
    const command = ['--net', 'sh', '-c', script, 'sh', process.execPath, child];
    const { stdout } = await promisify(execFile)('unshare', [...command, path.join(HERE, 'tls')]);
    results = JSON.parse(stdout);
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  it('are reached over IPv4 and IPv6, and name their peers', () => {
    expect(results.ipv4).toEqual({ answer: 'tcp:127.0.0.1:PORT', log: [] });
    expect(results.ipv6).toEqual({ answer: 'tcp:[::1]:PORT', log: [] });
    expect(results.both).toEqual({ answer: 'tcp:127.0.0.1:PORT', log: [] });
    expect(results.onlyIpv4).toEqual({ answer: 'failed: Connection refused', log: [] });
  });

  it('are reached over TLS by peers with a certificate of the same authority', () => {
    expect(results.tls).toEqual({ answer: 'ssl:127.0.0.1:PORT', log: [] });
  });

  it('are refused over TLS when the server is a stranger', () => {
    expect(results.strangeServer).toMatchObject({ answer: 'failed: Protocol error' });
  });

  it('refuse strangers over TLS', () => {
    const { answer, log } = results.strangeClient as { answer: string; log: string[] };
    expect(answer).not.toContain('ssl:');
    expect(log).toHaveLength(1);
    expect(log[0]).toMatch(/^warn p?ssl:.*: SSL_accept: /);
  });

  it('take anyone over TLS when both sides are told to', () => {
    expect(results.unchecked).toMatchObject({ answer: 'ssl:127.0.0.1:PORT' });
  });

  it('need a key and certificates for TLS', () => {
    const missing = 'Private key must be configured to use SSL';
    expect(results.plainClient).toMatchObject({ answer: `failed: ${missing}` });
    expect(results.unconfigured).toBe(missing);
  });

  it('take new certificates while they listen', () => {
    expect(results.replaceTls).toEqual({ before: 'failed: Protocol error', after: 'hello' });
  });

  it('say which port is taken', () => {
    expect(results.inUse).toEqual({
      code: 'BAD_LISTEN',
      message: 'ptcp:6640:0.0.0.0: cannot listen: Address already in use',
    });
  });
});
