/** Counters of what a worker sends: what the kernel refuses is taken back and named. */
import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { PortRows } from '../../src/datapath/port-rows.ts';
import {
  newSharedState,
  PORT_OPEN,
  PORT_ROW,
  PORT_STAT_ROW,
  PORT_STATE,
  PSTAT_DROPS,
  PSTAT_TX_BYTES,
  PSTAT_TX_PACKETS,
} from '../../src/datapath/shared-state.ts';
import { IoTxQueue } from '../../src/datapath/tx-queue.ts';
import { DROP_MTU, DROP_REASONS, DROP_TX_ERROR } from '../../src/dpif/drops.ts';
import { IO_TX, IO_TX_FAILED, IO_WORDS, TX_RESULT, TX_STRIDE } from '../../src/native.ts';

const { EMSGSIZE, EAGAIN } = constants.errno;

/** Sends frames of 110 and 60 bytes (virtio-net header included) and has the kernel say `errnos`. */
function send(errnos: number[]) {
  const shared = newSharedState(1, 1024, 1, 0);
  const stats = shared.workers[0].portStats;
  shared.ports[PORT_ROW + PORT_STATE] = PORT_OPEN;
  const io = new Int32Array(IO_WORDS);
  const none = (): never => expect.unreachable();
  const queue = new IoTxQueue(io, new PortRows(shared.ports, stats), { transmit: none }, none);
  for (const at of errnos.keys()) queue.push(1, 0, at === 0 ? 110 : 60, 0, 0);
  queue.close();
  for (const [at, errno] of errnos.entries()) io[IO_TX + at * TX_STRIDE + TX_RESULT] = errno;
  io[IO_TX_FAILED] = errnos.filter((errno) => errno !== 0).length;
  queue.sent();
  const row = stats.slice(PORT_STAT_ROW, 2 * PORT_STAT_ROW);
  const drops = row.slice(PSTAT_DROPS, PSTAT_DROPS + DROP_REASONS);
  return { packets: row[PSTAT_TX_PACKETS], bytes: row[PSTAT_TX_BYTES], drops };
}

describe('the transmit queue', () => {
  it.each([
    ['larger than the MTU where the kernel says so', EMSGSIZE, DROP_MTU],
    ['refused where it says anything else', EAGAIN, DROP_TX_ERROR],
  ])('counts a frame as %s, and not as sent', (_name, errno, reason) => {
    const { packets, bytes, drops } = send([errno, 0]);
    expect({ packets, bytes }).toEqual({ packets: 1, bytes: 50 });
    expect(drops[reason]).toBe(1);
    expect(drops.reduce((sum, count) => sum + count)).toBe(1);
  });

  it('counts what was sent and drops nothing', () => {
    const { packets, bytes, drops } = send([0, 0]);
    expect({ packets, bytes }).toEqual({ packets: 2, bytes: 150 });
    expect(drops.every((count) => count === 0)).toBe(true);
  });
});
