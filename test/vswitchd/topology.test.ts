import { describe, expect, it } from 'vitest';
import { readTopology } from '../../src/vswitchd/topology.ts';

const problems = (text: string): string[] => {
  try {
    readTopology(text, 'lab.yaml');
    return [];
  } catch (error) {
    return (error as Error).message.split('\n');
  }
};

describe('a bad flow in a topology', () => {
  it('is told with its line and column in a list, together with what else is wrong', () => {
    const text = `bridges:
- name: br0
  ports: [{ name: p1, tga: 3 }]
  flows:
    - priority=1,in_port=p1,actions=drop
    - "priority=1,in_prt=1,actions=drop"
    - priority=1,actions=output:p9
`;
    const found = problems(text);
    expect(found).toHaveLength(3);
    expect(found[0]).toMatch(/^lab.yaml:3:28: a port has no key "tga"/);
    expect(found[1]).toMatch(/^lab.yaml:6:7: flow "priority=1,in_prt=1,actions=drop": .*in_prt/);
    expect(found[2]).toMatch(/^lab.yaml:7:7: flow "priority=1,actions=output:p9": .*p9/);
  });

  it('is told with its own line in a block of text', () => {
    const text = `bridges:
- name: br0
  flows: |   # a block

      # who may talk
      priority=5,arp,actions=normal   # everybody
      priority=5,actions=nonsense
`;
    expect(problems(text)).toEqual([
      expect.stringMatching(/^lab.yaml:7:7: flow "priority=5,actions=nonsense": /),
    ]);
  });

  it('is told where its text begins if that is folded or stands behind an alias', () => {
    const text = `bridges:
- name: br0
  flows: >
      priority=5,
      actions=nonsense
- name: br1
  flows: [&bad "zzz,actions=drop", *bad]
`;
    expect(problems(text).map((line) => line.slice(0, 14))).toEqual([
      'lab.yaml:3:10:',
      'lab.yaml:7:16:',
      'lab.yaml:7:36:',
    ]);
  });

  it('is none if it names a port of its own bridge', () => {
    const bridge = (name: string, port: string, flow: string) =>
      `- { name: ${name}, ports: [{ name: ${port} }], flows: ["${flow}"] }\n`;
    const good = `bridges:\n${bridge('br0', 'p1', 'actions=output:p1')}`;
    expect(problems(good)).toEqual([]);
    expect(problems(`${good}${bridge('br1', 'p2', 'actions=output:p1')}`)).toHaveLength(1);
  });
});
