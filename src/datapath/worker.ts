/**
 * A worker thread's whole life: one Piscina task that forwards until told to
 * stop. It gets shared memory and descriptor numbers, and never a message.
 */
import { native } from '../native.ts';
import { Forwarder } from './forwarder.ts';
import { NativeIo } from './native-io.ts';
import type { SharedState } from './shared-state.ts';
import { warmUp } from './warm-up.ts';

export interface WorkerTask {
  shared: SharedState;
  worker: number;
  backend: string;
  eventFd: number;
  mainFd: number;
  spin: number;
  /** The CPU to stay on, if any. */
  cpu?: number;
}

/**
 * Bursts between two looks of this file's own loop, which V8 leaves interpreted: at a quiet worker's
 * pace it never gets hot, while Forwarder.run is compiled by the warm-up.
 */
const TURNS = 1000;

export default function work(task: WorkerTask): void {
  if (task.cpu !== undefined) native().setAffinity([task.cpu]);
  warmUp();
  const { arena } = task.shared.workers[task.worker];
  const io = new NativeIo(task.backend, arena, task.eventFd, task.mainFd);
  try {
    const forwarder = new Forwarder({ ...task, io });
    while (forwarder.run(TURNS));
  } finally {
    io.close();
  }
}
