/** Checksums against the definition (RFC 1071), and updates against recomputing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { i32, setU16, setU32, u16 } from '../../src/wire/bytes.ts';
import * as checksum from '../../src/wire/checksum.ts';

/** RFC 1071, to the letter. */
function plainChecksum(bytes: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes[i] * 256 + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum % 65536) + Math.floor(sum / 65536);
  return 65535 - sum;
}

const data = fc.uint8Array({ minLength: 2, maxLength: 100 });

describe('the internet checksum', () => {
  it('is the one of RFC 1071, at any offset and size', () => {
    fc.assert(
      fc.property(data, fc.nat(20), (bytes, offset) => {
        const padded = new Uint8Array(offset + bytes.length + 7).fill(0xff);
        padded.set(bytes, offset);
        const end = offset + bytes.length;
        expect(checksum.checksum(padded, offset, end)).toBe(plainChecksum([...bytes]));
      }),
      { numRuns: 1000 },
    );
  });

  it('holds for a super-frame of ones', () => {
    const bytes = new Uint8Array(131072).fill(0xff);
    expect(checksum.checksum(bytes, 0, bytes.length)).toBe(0);
    expect(checksum.checksum(bytes, 0, 65551)).toBe(plainChecksum([...bytes.subarray(0, 65551)]));
  });

  it('of two pieces is the sum of both', () => {
    fc.assert(
      fc.property(data, data, (a, b) => {
        const even = a.subarray(0, a.length & ~1);
        const parts = checksum.sum(even, 0, even.length) + checksum.sum(b, 0, b.length);
        expect(checksum.finish(parts)).toBe(plainChecksum([...even, ...b]));
      }),
    );
  });

  it('is 0 over data that holds it', () => {
    fc.assert(
      fc.property(data, (bytes) => {
        setU16(bytes, 0, 0);
        setU16(bytes, 0, checksum.checksum(bytes, 0, bytes.length));
        expect(checksum.checksum(bytes, 0, bytes.length)).toBe(0);
      }),
    );
  });
});

/** Some bytes with a check in their first word, and a change of four of them. */
const change = fc.record({
  bytes: fc.uint8Array({ minLength: 12, maxLength: 40 }),
  now: fc.integer(),
});

describe('an incremental update', () => {
  it('of a 32-bit word verifies like a recomputed checksum', () => {
    fc.assert(
      fc.property(change, ({ bytes, now }) => {
        setU16(bytes, 0, 0);
        setU16(bytes, 0, checksum.checksum(bytes, 0, bytes.length));
        const updated = checksum.update32(u16(bytes, 0), i32(bytes, 4), now);
        setU32(bytes, 4, now);
        setU16(bytes, 0, updated);
        // Over all-zero data there are two ways to write the check, and this is the other.
        expect([0, 0xffff]).toContain(checksum.checksum(bytes, 0, bytes.length));
        expect(updated).toBe(recomputed(bytes));
      }),
    );
  });

  it('of a 16-bit word verifies like a recomputed checksum', () => {
    fc.assert(
      fc.property(change, ({ bytes, now }) => {
        setU16(bytes, 0, 0);
        setU16(bytes, 0, checksum.checksum(bytes, 0, bytes.length));
        const updated = checksum.update16(u16(bytes, 0), u16(bytes, 6), now & 0xffff);
        setU16(bytes, 6, now);
        setU16(bytes, 0, updated);
        expect(updated).toBe(recomputed(bytes));
      }),
    );
  });

  it('of a partial check is the folded sum of the changed pseudo-header', () => {
    fc.assert(
      fc.property(change, fc.nat(0xffff), ({ bytes, now }, size) => {
        const before = checksum.fold(checksum.sum(bytes, 0, 12));
        const old = i32(bytes, 4);
        const oldSize = u16(bytes, 8);
        setU32(bytes, 4, now);
        setU16(bytes, 8, size);
        const updated = checksum.updatePartial16(
          checksum.updatePartial32(before, old, now),
          oldSize,
          size,
        );
        const expected = checksum.fold(checksum.sum(bytes, 0, 12));
        expect(updated % 0xffff).toBe(expected % 0xffff);
      }),
    );
  });
});

/** What the check in the first word should be; 0 stands for 0xffff only over all-zero data. */
function recomputed(bytes: Uint8Array): number {
  const copy = bytes.slice();
  setU16(copy, 0, 0);
  const check = checksum.checksum(copy, 0, copy.length);
  return copy.every((byte) => byte === 0) ? u16(bytes, 0) : check;
}

describe("SCTP's CRC32c", () => {
  it.each([
    // The check value that catalogues of CRCs give, and the vectors of RFC 3720, appendix B.4.
    [[...'123456789'].map((digit) => digit.charCodeAt(0)), 0xe3069283],
    [new Array(32).fill(0), 0x8a9136aa],
    [new Array(32).fill(0xff), 0x62a8ab43],
    [Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ])('is right for %j', (bytes, expected) => {
    const data = Uint8Array.from(bytes);
    const middle = data.length >> 1;
    const half = checksum.crc32cAdd(checksum.CRC32C_INIT, data, 0, middle);
    const crc = checksum.crc32cFinish(checksum.crc32cAdd(half, data, middle, data.length));
    expect(crc >>> 0).toBe(expected);
  });
});
