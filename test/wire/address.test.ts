/** Addresses as text, with node:net and known texts as oracles. */
import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatIpv4,
  formatIpv6,
  formatMac,
  parseIpv4,
  parseIpv6,
  parseMac,
} from '../../src/wire/address.ts';

const bits = (count: bigint): fc.Arbitrary<bigint> => fc.bigInt(0n, (1n << count) - 1n);
/** Addresses with runs of zeros, which the short form is about. */
const ipv6 = fc
  .array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.reduce((address, group) => (address << 16n) | BigInt(group), 0n));

describe('an address', () => {
  it('reads back as it was printed', () => {
    fc.assert(fc.property(bits(48n), (mac) => parseMac(formatMac(mac)) === mac));
    fc.assert(fc.property(fc.nat(0xffffffff), (ip) => parseIpv4(formatIpv4(ip)) === ip));
    fc.assert(fc.property(ipv6, (ip) => parseIpv6(formatIpv6(ip)) === ip));
  });

  it('is refused where the system refuses it', () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'0123456789abcdefF:.:'), maxLength: 20 }),
      ipv6.map(formatIpv6),
    );
    fc.assert(
      fc.property(text, (bad) => {
        expect(parseIpv4(bad) !== undefined).toBe(isIPv4(bad));
        expect(parseIpv6(bad) !== undefined).toBe(isIPv6(bad));
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    [0n, '::'],
    [1n, '::1'],
    [1n << 127n, '8000::'],
    [0xfd00_0000_0000_0000_0000_0000_0000_0001n, 'fd00::1'],
    [0x0001_0000_0002_0003_0004_0005_0006_0007n, '1:0:2:3:4:5:6:7'],
    [0x0001_0000_0000_0002_0000_0000_0003_0004n, '1::2:0:0:3:4'],
    [0x0000_0000_0000_0000_0000_ffff_0102_0304n, '::ffff:1.2.3.4'],
    [0x0000_0000_0000_0000_0000_0000_0102_0304n, '::1.2.3.4'],
  ])('%d is printed as inet_ntop(3) does: %s', (address, text) => {
    expect(formatIpv6(address)).toBe(text);
  });

  it('of Ethernet may lack leading zeros, and nothing else', () => {
    expect(parseMac('0:1:a:B:cC:dd')).toBe(0x00010a0bccddn);
    for (const bad of ['', '1:2:3:4:5', '1:2:3:4:5:6:7', '1:2:3:4:5:100', 'g:1:2:3:4:5']) {
      expect(parseMac(bad)).toBeUndefined();
    }
  });
});
