/** Every rival, in the order of tables and figures. */
import { bridge } from './bridge.js';
import { limit, limitUring } from './limit.js';
import { ovs, ovsTso } from './ovs.js';
import { tapflow, tapflowPlain } from './tapflow.js';
import { vde } from './vde.js';

/** @type {import('./rival.js').Rival[]} */
export const RIVALS = [limit, limitUring, tapflow, tapflowPlain, ovs, ovsTso, vde, bridge];
