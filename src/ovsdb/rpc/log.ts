/** Takes a line for the daemon's log; the levels are Open vSwitch's. */
export type RpcLog = (level: 'err' | 'warn' | 'info' | 'dbg', line: string) => void;

export const noLog: RpcLog = () => {};
