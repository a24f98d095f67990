/** The demo's topology file, which `tapflow up` would take as well. */
import { BRIDGE, CAST } from './stage.ts';

/** @param netns gives a port's namespace; without it the ports are dummies */
export function topology(netns?: (actor: string) => string): string {
  const ports = CAST.map(({ name, vlan, address }) =>
    [
      `      - name: ${name}`,
      `        tag: ${vlan}`,
      netns === undefined ? '        type: dummy' : '        type: tap',
      ...(netns === undefined
        ? []
        : [`        netns: ${netns(name)}`, `        addresses: [${address}/24]`]),
    ].join('\n'),
  );
  return `bridges:\n  - name: ${BRIDGE}\n    ports:\n${ports.join('\n')}\n`;
}
