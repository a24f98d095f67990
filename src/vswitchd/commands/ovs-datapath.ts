/**
 * Open vSwitch's own commands about the datapath, in its formats: dpif/*,
 * dpctl/*, upcall/*, revalidator/* and netdev-dummy/receive. There is one
 * datapath, under the name that its userspace datapath has.
 */
import { TapflowError } from '../../lib/error.ts';
import type { Command } from '../../unixctl/command-table.ts';
import type { Switch } from '../switch.ts';
import type { SwitchPort } from '../switch-ports.ts';
import { levels } from './cache.ts';
import { hexBytes } from './trace.ts';

const DATAPATH = 'netdev@ovs-netdev';

export function ovsDatapathCommands(sw: Switch): Command[] {
  return [
    plain('dpif/show', () => dpifShow(sw)),
    plain('dpif/dump-dps', () => `${DATAPATH}\n`),
    plain('dpctl/show', () => dpctlShow(sw)),
    plain('dpctl/dump-dps', () => `${DATAPATH}\n`),
    {
      name: 'dpctl/dump-flows',
      usage: '[dp]',
      minArgs: 0,
      maxArgs: 1,
      run: () => lines(sw.slowPath.dumpMegaflows()),
    },
    plain('upcall/show', () => upcallShow(sw)),
    {
      name: 'upcall/set-flow-limit',
      usage: 'flow-limit-number',
      minArgs: 1,
      maxArgs: 1,
      run: ([text]) => setFlowLimit(sw, text),
    },
    plain('revalidator/wait', async () => {
      await sw.slowPath.revalidate();
      return '';
    }),
    plain('revalidator/purge', async () => {
      await sw.slowPath.purge();
      return '';
    }),
    {
      name: 'netdev-dummy/receive',
      usage: 'name packet',
      minArgs: 2,
      maxArgs: 2,
      run: ([name, packet]) => receive(sw, name, packet),
    },
  ];
}

const plain = (name: string, run: () => string | Promise<string>): Command => ({
  name,
  usage: '',
  minArgs: 0,
  maxArgs: 0,
  run,
});

function dpifShow(sw: Switch): string {
  const { microflow_hits, megaflow_hits, misses } = levels(sw.dpif.cacheStats());
  const bridges = sw.slowPath.bridges().map(({ name }) => {
    const ports = sw.ports.all().filter((port) => port.bridge === name);
    return `  ${name}:\n${ports.sort(byName).map(dpifPortLine).join('')}`;
  });
  return `${DATAPATH}: hit:${microflow_hits + megaflow_hits} missed:${misses}\n${bridges.join('')}`;
}

const byName = (a: SwitchPort, b: SwitchPort): number => (a.name < b.name ? -1 : 1);

const dpifPortLine = ({ name, ofport, portNo, type }: SwitchPort): string =>
  `    ${name} ${ofport}/${portNo}: (${type})\n`;

function dpctlShow(sw: Switch): string {
  const { microflow_hits, megaflow_hits, misses, lost_upcalls } = levels(sw.dpif.cacheStats());
  const ports = sw.dpif.ports().map(({ portNo, spec }) => {
    const type = spec.type === 'system' ? '' : ` (${spec.type})`;
    return `  port ${portNo}: ${spec.name}${type}\n`;
  });
  return (
    `${DATAPATH}:\n` +
    `  lookups: hit:${microflow_hits + megaflow_hits} missed:${misses} lost:${lost_upcalls}\n` +
    `  flows: ${sw.dpif.flowCount()}\n${ports.join('')}`
  );
}

function upcallShow(sw: Switch): string {
  const { flows, flowLimit, dumpDuration } = sw.slowPath.stats();
  return (
    `${DATAPATH}:\n` +
    `  flows         : (current ${flows}) (limit ${flowLimit})\n` +
    `  dump duration : ${Math.round(dumpDuration)}ms\n\n` +
    `  0: (keys ${flows})\n`
  );
}

function setFlowLimit(sw: Switch, text: string): string {
  if (!/^\d{1,9}$/.test(text)) {
    throw new TapflowError(
      'USAGE',
      `"${text}" is not a number of flows: 0 to 999999999 was expected`,
    );
  }
  sw.slowPath.setFlowLimit(Number(text));
  return `set flow_limit to ${Number(text)}`;
}

function receive(sw: Switch, name: string, packet: string): string {
  const port = sw.ports.get(name);
  if (port?.type !== 'dummy') throw new TapflowError('NO_PORT', 'no such dummy netdev');
  sw.dpif.inject(hexBytes(packet), port.portNo);
  return '';
}

const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('');
