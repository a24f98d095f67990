/**
 * Flows that make every 5-tuple a megaflow of its own: 12 tables, one for each
 * byte of the IPv4 addresses and UDP ports, with a rule for each value of that
 * byte. The rule that matches puts its byte into the megaflow's mask; a single
 * rule over all 96 bits would not, since a lookup that fails early looks at few
 * bits. The last table is NORMAL.
 */

/** @type {((value: number) => string)[]} */
const MATCHES = [
  ...['nw_src', 'nw_dst'].flatMap((field) =>
    [0, 1, 2, 3].map((i) => (v) => `${field}=${byteAt(i, v)}/${byteAt(i, 255)}`),
  ),
  ...['tp_src', 'tp_dst'].flatMap((field) => [
    (v) => `${field}=0x${hex(v)}00/0xff00`,
    (v) => `${field}=0x${hex(v)}/0xff`,
  ]),
];

/** @returns {string[]} as `ovs-ofctl add-flow` takes them */
export function fiveTupleFlows() {
  const flows = ['table=0,priority=0,actions=normal'];
  MATCHES.forEach((match, table) => {
    const next = table === MATCHES.length - 1 ? 'normal' : `resubmit(,${table + 1})`;
    for (let value = 0; value < 256; value++) {
      flows.push(`table=${table},priority=1,udp,${match(value)},actions=${next}`);
    }
  });
  return flows;
}

/**
 * An address that is zero but for one byte.
 * @param {number} i
 * @param {number} value
 */
function byteAt(i, value) {
  return [0, 0, 0, 0].map((_, j) => (i === j ? value : 0)).join('.');
}

/** @param {number} value */
const hex = (value) => value.toString(16).padStart(2, '0');
