/**
 * Checks one frame: the fast extractor agrees with the reference parser, and
 * what stands around the frame makes no difference.
 */
import { expect } from 'vitest';
import { Extractor } from '../../src/flow/extract.ts';
import { extractReference } from '../../src/flow/extract-reference.ts';
import { KEY_WORDS } from '../../src/flow/key.ts';

/** The key of the frame in [at, at + size), from port 1. */
export function extractAt(bytes: Uint8Array, at: number, size: number): Int32Array {
  const key = new Int32Array(KEY_WORDS);
  new Extractor(bytes).extract(at, size, 1, key, 0);
  return key;
}

/** Twice at the buffer's end, where a read past it throws; twice amid other bytes. */
export function expectAgreement(frame: Uint8Array): void {
  const expected = frame.length < 14 ? new Int32Array(KEY_WORDS) : extractReference(frame, 1);
  for (const [around, after] of [
    [0x00, 0],
    [0xff, 0],
    [0x00, 128],
    [0xff, 128],
  ]) {
    const bytes = new Uint8Array(64 + frame.length + after).fill(around);
    bytes.set(frame, 64);
    const found = extractAt(bytes, 64, frame.length);
    // A typed array takes expect() tens of microseconds: only to report.
    if (found.some((word, i) => word !== expected[i])) expect(found).toEqual(expected);
  }
}
