import { afterAll, beforeAll, expect, it } from 'vitest';
import { Lab, run } from './lab.ts';
import { describeSystem } from './requirements.ts';

const lab = new Lab();
const script = (name: string): string => new URL(name, import.meta.url).pathname;

const host = (name: string, last: number, more = ''): string => `
      - name: ${lab.iface(name)}
        type: tap
        netns: ${lab.ns(name)}
        addresses: [10.68.0.${last}/24]${more}`;

const topology = (more = '', flows = 'priority=0,actions=normal'): string => `
bridges:
  - name: br0
    ports:${host('a', 1)}${host('b', 2)}${more}
    flows: [${JSON.stringify(flows)}]
`;

describeSystem('bad input to a running switch', () => {
  beforeAll(async () => {
    await lab.up(topology());
    await lab.ping('a', '10.68.0.2', 1);
  });
  afterAll(() => lab.close());

  /** Applies it, and shows that the rest goes on. */
  async function refused(yaml: string): Promise<string> {
    const { code, stdout, stderr } = await lab.reapply(yaml);
    expect(code).toBe(1);
    expect(await lab.ping('a', '10.68.0.2', 2)).toBe(2);
    return stdout + stderr;
  }

  it('an unknown key is named, with its line, and nothing is applied', async () => {
    const text = await refused(topology(host('c', 3, '\n        colour: red')));
    expect(text).toContain('colour');
    expect(text).toMatch(/lab\.yaml:\d+:\d+/);
    expect((await lab.tapflow('show')).stdout).not.toContain(lab.iface('c'));
  });

  it('text that is not YAML is named with its line', async () => {
    expect(await refused('bridges: [')).toMatch(/lab\.yaml:\d+:\d+/);
  });

  it('a port whose interface is missing is named, the others of the file come up', async () => {
    const missing = `\n      - { name: ${lab.iface('gone')}, type: system }`;
    const text = await refused(topology(missing + host('c', 3)));
    expect(text).toContain(lab.iface('gone'));
    expect(await lab.ping('a', '10.68.0.3', 1)).toBe(1);
    expect((await lab.tapflow('show')).stdout).toMatch(new RegExp(`${lab.iface('gone')}.*ERROR`));
  });

  it('a name that is in use is named', async () => {
    const used = lab.iface('used');
    await run('ip', 'link', 'add', used, 'type', 'bridge');
    try {
      expect(await refused(topology(`\n      - { name: ${used}, type: tap }`))).toContain(used);
    } finally {
      await run('ip', 'link', 'del', used);
    }
  });

  it('a bad flow is named with what is wrong, and the flows in force stay', async () => {
    const text = await refused(topology('', 'priority=1,in_prt=1,actions=drop'));
    expect(text).toContain('in_prt');
    expect((await lab.tapflow('flows', 'br0')).stdout).toContain('NORMAL');
    const added = await lab.tapflow('add-flow', 'br0', 'tcp,actions=nonsense');
    expect(added.code).toBe(1);
    expect(added.stderr).toContain('nonsense');
  });

  it.each([0, 67, 65536, 1e9])('an MTU of %d is refused by name', async (mtu) => {
    expect(await refused(topology(host('c', 3, `\n        mtu_request: ${mtu}`)))).toContain(
      String(mtu),
    );
  });

  it('a file that does not exist is named', async () => {
    const { code, stderr } = await lab.tapflow('up', '/nonexistent.yaml');
    expect(code).toBe(1);
    expect(stderr).toContain('/nonexistent.yaml does not exist');
  });

  it('a bridge that does not exist is named, with those that do', async () => {
    const { code, stderr } = await lab.tapflow('flows', 'br1');
    expect(code).toBe(1);
    expect(stderr).toBe('tapflow: there is no bridge "br1"; there is: br0\n');
  });

  it('frames of any length do no harm', async () => {
    const sent = await lab.inside(
      'a',
      'python3',
      script('frames-of-any-length.py'),
      lab.iface('a'),
    );
    expect(sent.stderr).toBe('');
    expect(await lab.ping('a', '10.68.0.2', 3)).toBe(3);
  });

  it('a flood of misses from one port leaves the others their upcalls', async () => {
    await lab.reapply(topology(host('c', 3)));
    // Each connection is a flow of its own: its first packets go up, past those of the flood.
    await lab.tapflow('add-flow', 'br0', 'priority=1,tcp,tp_src=1,actions=drop');
    await lab.tapflow('add-flow', 'br0', 'priority=1,udp,tp_src=1,actions=drop');
    const flood = await lab.serve('a', 'python3', script('flood-of-misses.py'), lab.iface('a'));
    try {
      const { stdout } = await lab.inside(
        'b',
        'python3',
        script('connections.py'),
        '10.68.0.3',
        '50',
      );
      expect(Number(stdout)).toBe(50);
    } finally {
      flood.kill();
    }
    const { misses, lost_upcalls } = await lab.json<Record<string, number>>('cache');
    expect(misses + lost_upcalls).toBeGreaterThan(1000);
  });
});
