/** The log of the program, and the modules of it that stock's messages come from. */
import type { Vlog } from '../../daemon/vlog.ts';
import type { VlogModule } from '../../daemon/vlog-module.ts';

export interface Logs {
  readonly vlog: Vlog;
  readonly vsctl: VlogModule;
  readonly database: VlogModule;
  readonly idl: VlogModule;
}

export function openLogs(vlog: Vlog): Logs {
  return {
    vlog,
    vsctl: vlog.module('vsctl'),
    database: vlog.module('db_ctl_base'),
    idl: vlog.module('ovsdb_idl'),
  };
}
