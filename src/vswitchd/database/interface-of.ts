/**
 * From a row of table Interface to what its device is to be. A row that no
 * device can be made of has a problem and no settings; one with a bad value has
 * both, and the device goes without that value. Messages are Open vSwitch's
 * where it has the same problem.
 */
import {
  isDeviceName,
  isInterfaceAddress,
  isNamespaceName,
  stationAddress,
} from '../../config/names.ts';
import { INTERFACE_TYPES, type InterfaceConfig, type InterfaceType } from '../../config/value.ts';
import { TapflowError } from '../../lib/error.ts';
import { strerror } from '../../lib/strerror.ts';
import type { Row } from '../../ovsdb/database/row.ts';
import { readCell } from './columns.ts';
import { ADDRESSES, listOf, NETNS, type TextMap } from './tapflow-keys.ts';

export interface InterfaceReading {
  readonly name: string;
  /** Undefined where no device can be made. */
  readonly config: InterfaceConfig | undefined;
  /** For the row's `error`. */
  readonly problem: string | undefined;
}

/** @param isLocal whether it is the device of its bridge, which is internal unless it says otherwise */
export function readInterface(row: Row, isLocal: boolean): InterfaceReading {
  const problems: string[] = [];
  try {
    const name = readCell('Interface', row, 'name');
    const config = interfaceConfig(row, name, isLocal, problems);
    return { name, config, problem: problems[0] };
  } catch (error) {
    if (!(error instanceof TapflowError)) throw error;
    return { name: String(row.get('name').keys[0]), config: undefined, problem: error.message };
  }
}

/** What a device that cannot be opened is reported as. */
export const cannotOpen = (name: string, code: string): string =>
  `could not open network device ${name} (${strerror({ code })})`;

function interfaceConfig(
  row: Row,
  name: string,
  isLocal: boolean,
  problems: string[],
): InterfaceConfig | undefined {
  const options = Object.fromEntries(readCell('Interface', row, 'options'));
  const otherConfig = Object.fromEntries(readCell('Interface', row, 'other_config'));
  const type = typeOf(readCell('Interface', row, 'type'), isLocal);
  const obstacle = !isDeviceName(name)
    ? cannotOpen(name, 'EINVAL')
    : typeProblem(name, type, options);
  if (obstacle !== undefined) problems.push(obstacle);
  if (!isKnown(type) || obstacle !== undefined) return undefined;
  return {
    name,
    type,
    ofportRequest: readCell('Interface', row, 'ofport_request'),
    mac: macOf(name, readCell('Interface', row, 'mac'), problems),
    mtuRequest: mtuOf(name, readCell('Interface', row, 'mtu_request'), problems),
    options,
    ...placeOf(name, type, otherConfig, problems),
  };
}

function typeOf(type: string, isLocal: boolean): string {
  if (type !== '') return type;
  return isLocal ? 'internal' : 'system';
}

const isKnown = (type: string): type is InterfaceType =>
  (INTERFACE_TYPES as readonly string[]).includes(type);

function typeProblem(name: string, type: string, options: TextMap): string | undefined {
  if (isKnown(type)) return undefined;
  const isPeerless = type === 'patch' && !options.peer;
  if (isPeerless) return `${name}: patch type requires valid 'peer' argument`;
  return cannotOpen(name, 'EAFNOSUPPORT');
}

function macOf(name: string, text: string | undefined, problems: string[]): string | undefined {
  if (text === undefined) return undefined;
  const mac = stationAddress(text);
  if (mac !== undefined) return mac;
  const isMulticast = /^[\da-f]{2}(:[\da-f]{2}){5}$/i.test(text);
  problems.push(
    isMulticast
      ? `interface ${name}: cannot set MAC to multicast address`
      : `interface ${name}: mac "${text}" is no MAC address such as 02:00:00:00:00:01`,
  );
  return undefined;
}

function mtuOf(
  name: string,
  mtu: number | bigint | undefined,
  problems: string[],
): number | undefined {
  if (mtu === undefined) return undefined;
  if (mtu >= MIN_MTU && mtu <= MAX_MTU) return Number(mtu);
  problems.push(
    `failed to set MTU for network device ${name}: ${mtu} is not between ${MIN_MTU} and ${MAX_MTU}`,
  );
  return undefined;
}

/** IPv4's smallest, and the largest packet that IP can name. */
const MIN_MTU = 68;
const MAX_MTU = 65535;

type Place = Pick<InterfaceConfig, 'netns' | 'addresses'>;

function placeOf(name: string, type: string, otherConfig: TextMap, problems: string[]): Place {
  const netns = otherConfig[NETNS];
  const addresses = listOf(otherConfig[ADDRESSES], ',');
  if (netns === undefined && addresses.length === 0) return NOWHERE;
  const bad = addresses.find((address) => !isInterfaceAddress(address));
  const problem = (key: string, text: string, expected: string) => {
    problems.push(`interface ${name}: other_config:${key} is "${text}": ${expected} was expected`);
    return NOWHERE;
  };
  if (type !== 'tap' && type !== 'internal') {
    const key = netns === undefined ? ADDRESSES : NETNS;
    return problem(
      key,
      otherConfig[key],
      'nothing for an interface that is neither tap nor internal',
    );
  }
  if (netns !== undefined && !isNamespaceName(netns)) {
    return problem(NETNS, netns, 'the name of a namespace');
  }
  if (bad !== undefined) return problem(ADDRESSES, bad, 'an address such as 10.0.0.1/24');
  return { netns, addresses };
}

const NOWHERE: Place = { addresses: [] };
