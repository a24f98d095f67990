/** All commands, in the order in which stock lists them (--commands), and finds their options. */
import type { CommandSyntax } from './command.ts';
import { addAaMapping, delAaMapping, getAaMapping } from './commands/auto-attach.ts';
import {
  addBr,
  brExists,
  brGetExternalId,
  brSetExternalId,
  brToParent,
  brToVlan,
  delBr,
  listBr,
} from './commands/bridges.ts';
import {
  delController,
  delFailMode,
  delManager,
  getController,
  getFailMode,
  getManager,
  setController,
  setFailMode,
  setManager,
} from './commands/controllers.ts';
import { create, destroy } from './commands/creation.ts';
import { addBondIface, delBondIface, ifaceToBr, listIfaces } from './commands/interfaces.ts';
import { add, clear, comment, remove, set } from './commands/modifications.ts';
import { addBond, addPort, delPort, listPorts, portToBr } from './commands/ports.ts';
import { find, get, list, waitUntil } from './commands/queries.ts';
import { delSsl, getSsl, setSsl } from './commands/ssl.ts';
import { emerReset, init, show } from './commands/whole-switch.ts';
import { addZoneTp, delZoneTp, listDpCap, listZoneTp } from './commands/zones.ts';

const IN_ORDER: readonly CommandSyntax[] = [
  waitUntil,
  addZoneTp,
  comment,
  clear,
  init,
  create,
  setFailMode,
  addPort,
  delBondIface,
  delSsl,
  setController,
  listBr,
  brExists,
  listPorts,
  delManager,
  listDpCap,
  addBondIface,
  getManager,
  getController,
  brSetExternalId,
  listIfaces,
  listZoneTp,
  getAaMapping,
  get,
  addAaMapping,
  delFailMode,
  brGetExternalId,
  delZoneTp,
  delPort,
  portToBr,
  delController,
  find,
  set,
  emerReset,
  setSsl,
  delAaMapping,
  addBr,
  brToParent,
  ifaceToBr,
  list,
  add,
  setManager,
  delBr,
  remove,
  getSsl,
  getFailMode,
  destroy,
  brToVlan,
  addBond,
  show,
];

export const COMMANDS: ReadonlyMap<string, CommandSyntax> = new Map(
  IN_ORDER.map((syntax) => [syntax.name, syntax]),
);
