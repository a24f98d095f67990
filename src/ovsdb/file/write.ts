/** Bytes to a place in a file, all of them. */
import { writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/**
 * A small amount is written before this returns: into the system's memory that
 * takes microseconds, less than it takes to have another thread do it.
 *
 * @returns the number of bytes
 * @throws an error of node:fs; then part of them may have been written
 */
export async function writeFully(
  file: FileHandle,
  buffers: readonly Buffer[],
  position: number,
): Promise<number> {
  const size = sizeOf(buffers);
  if (size <= SMALL) {
    writeNow(file.fd, Buffer.concat(buffers), position);
    return size;
  }
  let at = position;
  for (const buffer of buffers) {
    await writeLater(file, buffer, at);
    at += buffer.length;
  }
  return size;
}

export const sizeOf = (buffers: readonly Buffer[]): number =>
  buffers.reduce((sum, buffer) => sum + buffer.length, 0);

function writeNow(fd: number, buffer: Buffer, position: number): void {
  for (let done = 0; done < buffer.length; ) {
    done += writeSync(fd, buffer, done, buffer.length - done, position + done);
  }
}

async function writeLater(file: FileHandle, buffer: Buffer, position: number): Promise<void> {
  for (let done = 0; done < buffer.length; ) {
    const { bytesWritten } = await file.write(buffer, done, undefined, position + done);
    done += bytesWritten;
  }
}

const SMALL = 64 * 1024;
