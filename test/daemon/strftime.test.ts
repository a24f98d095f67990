import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { strftime } from '../../src/daemon/strftime.ts';

afterEach(() => vi.unstubAllEnvs());

const LETTERS = [...'aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYz'];
const FLAGGED = ['%-d', '%_H', '%0e', '%^a', '%#p', '%10Y', '%_5m', '%Ey', '%Od', '%%', '%5d'];
const FORMAT = [...LETTERS.map((letter) => `%${letter}`), ...FLAGGED].join('|');

/** Around new years, leap days, midnights and changes of the clock. */
const SECONDS = [
  ...[0, 951782399, 951868800, 1103932800, 1104537599, 1104537600, 1136073600, 1230768000],
  ...[1262304000, 1325376000, 1616893199, 1616893200, 1635642000, 1735689599, 1767225600],
  ...[1709164800, 1709251200, 1798761599, 1700000000, 4102444799],
];

describe('strftime', () => {
  it.each(['UTC', 'America/New_York', 'Asia/Kolkata'])('does as date(1) does in %s', (zone) => {
    vi.stubEnv('TZ', zone);
    const input = SECONDS.map((second) => `@${second}\n`).join('');
    const env = { ...process.env, TZ: zone, LC_ALL: 'C' };
    const expected = execFileSync('date', ['-f', '-', `+${FORMAT}\u0001`], { input, env });
    const ours = SECONDS.map((second) => strftime(FORMAT, new Date(second * 1000), false));
    expect(ours.map((text) => `${text}\u0001\n`).join('')).toBe(expected.toString());
  });

  it('knows the time in UTC whatever the zone is', () => {
    vi.stubEnv('TZ', 'Asia/Kolkata');
    const date = new Date(Date.UTC(2026, 10, 22, 21, 33, 28, 45));
    expect(strftime('%Y-%m-%dT%H:%M:%S %z %Z', date, true)).toBe('2026-11-22T21:33:28 +0000 GMT');
    expect(strftime('%H:%M %z', date, false)).toBe('03:03 +0530');
  });

  it('puts digits of the fraction for each run of #', () => {
    const date = new Date(Date.UTC(2026, 0, 1, 0, 0, 7, 45));
    expect(strftime('%S.### # ## #####', date, true)).toBe('07.045 0 04 04500');
  });

  it('leaves what it does not know', () => {
    expect(strftime('%Q %', new Date(0), true)).toBe('%Q %');
  });
});
