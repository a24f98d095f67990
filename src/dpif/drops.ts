/**
 * Why a packet was dropped: one number for each reason, counted per port
 * (the input port, except where noted) and shown by `tapflow ports`.
 */
export const DROP_NONE = 0;
/** The flow's actions are empty, or say `drop`. */
export const DROP_BY_RULE = 1;
/** Shorter than an Ethernet header. */
export const DROP_TRUNCATED = 2;
/** No more upcalls may be pending from this port. */
export const DROP_UPCALL_QUOTA = 3;
/** The slow path had no slot left. */
export const DROP_UPCALL_FULL = 4;
/** The slow path could not translate (loop, too deep, bad). */
export const DROP_TRANSLATE = 5;
/** Larger than the output port's MTU (counted at the output port). */
export const DROP_MTU = 6;
/** The output port does not exist any more. */
export const DROP_NO_PORT = 7;
/** The device refused the write: full or down (counted at the output port). */
export const DROP_TX_ERROR = 8;
/** No free frame slot for a copy. */
export const DROP_NO_BUFFER = 9;
/** A header action did not fit the frame (push on a frame that is too long, set on a missing header). */
export const DROP_BAD_ACTION = 10;
/** The virtio-net header contradicts the frame. */
export const DROP_BAD_OFFLOAD = 11;

/** Names by number, as printed. */
export const DROP_NAMES: readonly string[] = [
  'none',
  'rule',
  'truncated',
  'upcall_quota',
  'upcall_full',
  'translate',
  'mtu',
  'no_port',
  'tx_error',
  'no_buffer',
  'bad_action',
  'bad_offload',
];
export const DROP_REASONS = DROP_NAMES.length;
