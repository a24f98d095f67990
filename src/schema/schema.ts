/**
 * The database `Open_vSwitch`, declared once: what the switch is configured
 * with, and where it writes its status. From the declarations in the modules
 * beside this one come
 *
 *     Rows               the TypeScript types of rows
 *     openVswitchSchema  the schema as JSON, which stock tools accept
 *     docs/schema.md     the reference page
 *
 * Its version is 8.3.1, that of Open vSwitch 3.1: same tables, columns and
 * types. How the columns are to be understood, ovs-vswitchd.conf.db(5) says.
 */
import type { JsonObject } from '../lib/json.ts';
import { autoAttach, bridge } from './bridge.ts';
import { controller, manager, ssl } from './connections.ts';
import { ctTimeoutPolicy, ctZone, datapath } from './datapath.ts';
import { flowTable } from './flow-table.ts';
import { networkInterface } from './interface.ts';
import { mirror } from './mirror.ts';
import { flowSampleCollectorSet, ipfix, netFlow, sFlow } from './monitoring.ts';
import { openVswitch } from './open-vswitch.ts';
import { port } from './port.ts';
import { qos, queue } from './qos.ts';
import { type AnyTable, mapValues, tableToJson } from './table-definition.ts';

export const tables = {
  Open_vSwitch: openVswitch,
  Bridge: bridge,
  Port: port,
  Interface: networkInterface,
  Flow_Table: flowTable,
  QoS: qos,
  Queue: queue,
  Mirror: mirror,
  NetFlow: netFlow,
  sFlow,
  IPFIX: ipfix,
  Flow_Sample_Collector_Set: flowSampleCollectorSet,
  Controller: controller,
  Manager: manager,
  Datapath: datapath,
  CT_Zone: ctZone,
  CT_Timeout_Policy: ctTimeoutPolicy,
  SSL: ssl,
  AutoAttach: autoAttach,
};

/**
 * The rows of each table: `Rows['Bridge']`.
 *
 * @public for whoever reads the replica of the database
 */
export type Rows = {
  readonly [Name in keyof typeof tables]: ReturnType<(typeof tables)[Name]['read']>;
};

/**
 * As a database file begins with, and `get_schema` answers: every type in its
 * shortest form, which is how stock servers print it.
 */
export const openVswitchSchema: JsonObject = {
  name: 'Open_vSwitch',
  version: '8.3.1',
  // What cksum(1) says of Open vSwitch's own file, vswitch.ovsschema, without the line that holds
  // this member. Tools compare it, with the version, to see whether a database needs converting.
  cksum: '3012963480 26720',
  tables: mapValues<AnyTable, JsonObject>(tables, tableToJson),
};
