/**
 * L and LU, the limits: C programs that carry frames between TAPs and look at
 * nothing (bench/limit/). L makes a system call per frame, LU batches them in
 * io_uring.
 */
import { existsSync } from 'node:fs';
import { stop } from '../processes.js';
import { program as pathOf } from '../programs.js';
import { startPinned, waitForDevices } from './rival.js';

/** @type {import('./rival.js').Rival} */
export const limit = rival('L', 'L, plain C limit', 'limit');
/** @type {import('./rival.js').Rival} */
export const limitUring = rival('LU', 'LU, io_uring C limit', 'limit-uring');

/**
 * @param {string} name
 * @param {string} title
 * @param {string} program
 * @returns {import('./rival.js').Rival}
 */
function rival(name, title, program) {
  const path = pathOf(program);
  return {
    name,
    title,
    missing: () => (existsSync(path) ? undefined : `${path} is not built: make -C bench/limit`),
    // They know two ports and no rules.
    supports: ({ rules, ports }) => rules === 'normal' && ports === 2,
    async start(stage) {
      const { topology } = stage;
      const daemon = startPinned(stage, [path, ...topology.ports.map(({ name }) => name)]);
      await waitForDevices(stage, daemon);
      await topology.attach();
      return { pids: [daemon.pid], stop: () => stop(daemon) };
    },
  };
}
