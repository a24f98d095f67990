/**
 * VDE 2: one vde_switch, and a vde_plug2tap for each port that carries frames
 * between a TAP and the switch's socket.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stop, waitFor } from '../processes.js';
import { firstMissing, startPinned, waitForDevices } from './rival.js';

/** @type {import('./rival.js').Rival} */
export const vde = {
  name: 'vde',
  title: 'VDE 2',
  missing: () => firstMissing(['vde_switch', 'vde_plug2tap']),
  // Its buffers hold a frame of 1500 bytes and a tag.
  supports: ({ rules, mtu }) => rules === 'normal' && mtu <= 1500,
  async start(stage) {
    const socket = join(stage.directory, 'vde.ctl');
    // It serves a console on its standard input, and ends with it.
    const server = startPinned(stage, ['vde_switch', '-s', socket]);
    await waitFor('vde_switch', () => existsSync(join(socket, 'ctl')), { program: server });
    const plugs = stage.topology.ports.map(({ name }) =>
      startPinned(stage, ['vde_plug2tap', '-s', socket, name]),
    );
    await waitForDevices(stage, plugs[0]);
    await stage.topology.attach();
    return {
      pids: [server.pid, ...plugs.map(({ pid }) => pid)],
      async stop() {
        for (const program of [...plugs, server]) await stop(program);
      },
    };
  },
};
