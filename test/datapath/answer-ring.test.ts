/** The main thread's frames in a worker's ring; the test is the worker that passes them. */
import { beforeEach, describe, expect, it } from 'vitest';
import { AnswerRing } from '../../src/datapath/answer-ring.ts';
import {
  ANSWER_HEAD_WORDS,
  MAIN_SLOTS,
  newSharedState,
  RING_HEAD,
  RING_TAIL,
  type WorkerState,
} from '../../src/datapath/shared-state.ts';

const FRAME = new Uint8Array(60);
const ACTIONS = Int32Array.of(1, 2);
const RECORD_WORDS = ANSWER_HEAD_WORDS + ACTIONS.length;

let worker: WorkerState;
let ring: AnswerRing;

beforeEach(() => {
  [worker] = newSharedState(1, 1024, 1, 0).workers;
  ring = new AnswerRing(worker);
});

const send = (times: number): void => {
  for (let i = 0; i < times; i++) ring.send(FRAME, 1, ACTIONS);
};

const recordsInRing = (): number =>
  (worker.answers[RING_HEAD] - worker.answers[RING_TAIL]) / RECORD_WORDS;

function passAll(): void {
  worker.answers[RING_TAIL] = worker.answers[RING_HEAD];
}

describe('the answer ring', () => {
  it('says that frames wait, until all have been handed over', () => {
    send(MAIN_SLOTS);
    expect(ring.isWaiting).toBe(false);
    send(MAIN_SLOTS + 1);
    for (const handedOver of [MAIN_SLOTS, MAIN_SLOTS, 1]) {
      expect(recordsInRing()).toBe(handedOver);
      expect(ring.isWaiting).toBe(handedOver !== 1);
      passAll();
      ring.sendWaiting();
    }
    expect(recordsInRing()).toBe(0);
  });

  it('has all its slots however many answers have gone by since they were used', () => {
    send(1);
    passAll();
    ring.sendWaiting();
    for (const position of [RING_HEAD, RING_TAIL]) worker.answers[position] += 2 ** 31;
    send(MAIN_SLOTS);
    expect(recordsInRing()).toBe(MAIN_SLOTS);
  });

  it('refuses an action list that an empty ring could not take, which nothing could pass', () => {
    expect(() => ring.send(FRAME, 1, new Int32Array(40_000))).toThrow(RangeError);
    send(1);
    expect(recordsInRing()).toBe(1);
  });
});
