import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTopology } from '../../src/config/yaml.ts';
import { TapflowError } from '../../src/lib/error.ts';

/** The problems that parsing reports, one a line; [] if it succeeds. */
function problems(text: string): string[] {
  try {
    parseTopology(text, 'net.yaml');
    return [];
  } catch (error) {
    if (!(error instanceof TapflowError)) throw error;
    expect(error.code).toBe('BAD_CONFIG');
    return error.message.split('\n');
  }
}

/** A bridge br0 with one port, given as a YAML flow map. */
const withPort = (port: string) => `bridges:\n- name: br0\n  ports:\n  - ${port}\n`;
const onlyPort = (port: string) => parseTopology(withPort(port), 'x').bridges[0].ports[0];

describe('parseTopology', () => {
  it('reads every key', () => {
    const text = `
      other_config: {flow-limit: 1000}
      bridges:
        - name: br0
          datapath_type: netdev
          fail_mode: secure
          other_config: {mac-aging-time: 60, forward-bpdu: true}
          ports:
            - name: p1
              tag: 7
              trunks: [30, 10, 10]
              vlan_mode: native-tagged
              other_config: {priority-tags: always}
              type: tap
              ofport_request: 5
              mac: 02:00:00:00:00:AB
              mtu_request: 9000
              options: {n_rxq: 2}
              netns: red
              addresses: [10.0.0.1/24, fd00::1/64]
            - name: uplink
              interfaces: [{name: eth1, type: system, ofport_request: 6}]
          flows:
            - priority=1,actions=drop
    `;
    expect(parseTopology(text, 'x')).toEqual({
      otherConfig: { 'flow-limit': '1000' },
      bridges: [
        {
          name: 'br0',
          datapathType: 'netdev',
          failMode: 'secure',
          otherConfig: { 'mac-aging-time': '60', 'forward-bpdu': 'true' },
          ports: [
            {
              name: 'p1',
              tag: 7,
              trunks: [10, 30],
              vlanMode: 'native-tagged',
              otherConfig: { 'priority-tags': 'always' },
              interfaces: [
                {
                  name: 'p1',
                  type: 'tap',
                  ofportRequest: 5,
                  mac: '02:00:00:00:00:ab',
                  mtuRequest: 9000,
                  options: { n_rxq: '2' },
                  netns: 'red',
                  addresses: ['10.0.0.1/24', 'fd00::1/64'],
                },
              ],
            },
            {
              name: 'uplink',
              trunks: [],
              vlanMode: 'trunk',
              otherConfig: {},
              interfaces: [
                { name: 'eth1', type: 'system', ofportRequest: 6, options: {}, addresses: [] },
              ],
            },
          ],
          flows: ['priority=1,actions=drop'],
        },
      ],
    });
  });

  it('makes a port with a tag an access port and others trunks, as ovs-vswitchd.conf.db(5) says', () => {
    expect(onlyPort('{name: p1, tag: 3}').vlanMode).toBe('access');
    expect(onlyPort('{name: p1, trunks: [3]}').vlanMode).toBe('trunk');
  });

  it("gives a bridge's own port the type internal and other ports the type system", () => {
    expect(onlyPort('{name: br0}').interfaces[0].type).toBe('internal');
    expect(onlyPort('{name: p1}').interfaces[0].type).toBe('system');
    expect(onlyPort('{name: p1, type: ""}').interfaces[0].type).toBe('system');
  });

  it('reads flows from a block of text, without comments and blank lines', () => {
    const text = `
bridges:
  - name: br0
    flows: |
      # who may talk
      priority=5,arp,actions=normal   # everybody

      priority=1,actions=drop
`;
    const { flows } = parseTopology(text, 'x').bridges[0];
    expect(flows).toEqual(['priority=5,arp,actions=normal', 'priority=1,actions=drop']);
  });

  it('takes JSON, names that look like numbers, and keys without a value', () => {
    const json = JSON.stringify({ bridges: [{ name: '7', ports: null, other_config: {} }] });
    const { bridges } = parseTopology(json, 'x');
    expect(bridges[0]).toMatchObject({ name: '7', ports: [], otherConfig: {} });
    expect(parseTopology('bridges: [{name: 010}]', 'x').bridges[0].name).toBe('010');
  });

  it('follows anchors and aliases', () => {
    const text = withPort('{name: p1, trunks: &lab [1, 2]}\n  - {name: p2, trunks: *lab}');
    expect(parseTopology(text, 'x').bridges[0].ports[1].trunks).toEqual([1, 2]);
  });

  it('reads every topology in examples/', () => {
    const folder = new URL('../../examples/', import.meta.url);
    const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
    expect(files).not.toEqual([]);
    for (const file of files)
      expect(problems(readFileSync(new URL(file, folder), 'utf8'))).toEqual([]);
  });
});

describe('the error for a bad topology', () => {
  it('lists all problems in the order of the file, each with line and column', () => {
    const text = `bridges:
- name: br0
  fail_mod: secure
  ports:
  - name: p1
    tag: 4096
  - name: p1
    mac: 01:00:5e:00:00:01
`;
    expect(problems(text)).toEqual([
      'net.yaml:3:13: a bridge has no key "fail_mod" (did you mean fail_mode?)',
      'net.yaml:6:10: tag: expected an integer from 0 to 4095, got "4096"',
      'net.yaml:7:11: port "p1": the name is taken by port "p1"',
      'net.yaml:8:10: mac: expected a unicast MAC address, such as 02:00:00:00:00:01, got "01:00:5e:00:00:01"',
    ]);
  });

  it('says of a namespace and addresses that nothing takes where they stand, and of no more than that', () => {
    const text = `bridges:
- name: br0
  ports:
  - { name: br0, addresses: [10.0.0.1/24] }
  - name: p1
    netns: red
    addresses: [10.0.0.2/24]
  - { name: p2, type: tpa, netns: red }
`;
    const advice = 'an interface of type system takes none; did you forget type: tap?';
    expect(problems(text)).toEqual([
      `net.yaml:6:12: netns of "p1": ${advice}`,
      `net.yaml:7:16: addresses of "p1": ${advice}`,
      expect.stringMatching(/^net.yaml:8:23: type: expected one of/),
    ]);
  });

  const NAME = 'a name of at most 15 bytes without "/", "\\", ":" and blanks';
  it.each([
    ['{name: p1, tag: "5"}', 'tag: expected an integer from 0 to 4095, got "5"'],
    ['{name: p1, tag: 1.5}', 'tag: expected an integer from 0 to 4095, got "1.5"'],
    ['{name: p1, tag: }', 'tag: expected an integer from 0 to 4095, got nothing'],
    ['{name: p1, trunks: 5}', 'trunks: expected a list: an integer from 0 to 4095 each, got "5"'],
    ['{name: p1, trunks: [5, x]}', 'trunks: expected an integer from 0 to 4095, got "x"'],
    ['{name: p1, mtu_request: 67}', 'mtu_request: expected an integer from 68 to 65535, got "67"'],
    [
      '{name: p1, ofport_request: 65280}',
      'ofport_request: expected an integer from 1 to 65279, got "65280"',
    ],
    [
      '{name: p1, type: tpa}',
      'type: expected one of system, tap, internal, dummy, got "tpa" (did you mean tap?)',
    ],
    ['{name: p1, type: vxlan}', 'type: expected one of system, tap, internal, dummy, got "vxlan"'],
    [
      '{name: p1, vlan_mode: dot1q-tunnel}',
      'vlan_mode: expected one of access, trunk, native-tagged, native-untagged, got "dot1q-tunnel"',
    ],
    ['{name: sixteen-letters-}', `name: expected ${NAME}, got "sixteen-letters-"`],
    ['{name: ééééééèè}', `name: expected ${NAME}, got "ééééééèè"`],
    ['{name: a/b}', `name: expected ${NAME}, got "a/b"`],
    ['{name: ".."}', `name: expected ${NAME}, got ".."`],
    ['{name: [x]}', `name: expected ${NAME}, got a list`],
    [
      '{name: p1, addresses: [10.0.0.1]}',
      'addresses: expected an address with its prefix length, such as 10.0.0.1/24 or fd00::1/64, got "10.0.0.1"',
    ],
    [
      '{name: p1, addresses: [10.1/8]}',
      'addresses: expected an address with its prefix length, such as 10.0.0.1/24 or fd00::1/64, got "10.1/8"',
    ],
    [
      '{name: p1, netns: ../x}',
      'netns: expected the name of a network namespace, without "/" and blanks, got "../x"',
    ],
    [
      '{name: p1, mac: 00:00:00:00:00:00}',
      'mac: expected a unicast MAC address, such as 02:00:00:00:00:01, got "00:00:00:00:00:00"',
    ],
    ['{name: p1, options: [x]}', 'options: expected a map of texts, got a list'],
    ['{name: p1, options: {a: [x]}}', 'options:a: expected text, got a list'],
    ['{name: p1, tag: 1, tag: 2}', 'tag is given twice'],
    [
      '{name: p1, colour: red}',
      'a port has no key "colour"; known are name, type, ofport_request, mac, mtu_request, options, netns, addresses, tag, trunks, vlan_mode, other_config, interfaces',
    ],
    [
      '{name: p1, <<: {tag: 1}}',
      'a port has no key "<<"; known are name, type, ofport_request, mac, mtu_request, options, netns, addresses, tag, trunks, vlan_mode, other_config, interfaces',
    ],
    [
      '{name: p1, netns: red}',
      'netns of "p1": an interface of type system takes none; did you forget type: tap?',
    ],
    [
      '{name: p1, type: dummy, addresses: [10.0.0.1/24]}',
      'addresses of "p1": an interface of type dummy takes none; did you forget type: tap?',
    ],
    [
      '{name: p1, interfaces: [{name: e1, netns: red}]}',
      'netns of "e1": an interface of type system takes none; did you forget type: tap?',
    ],
    [
      '{name: p1, tag: 1, vlan_mode: trunk}',
      'port "p1": a trunk port has no tag; leave out tag or vlan_mode',
    ],
    [
      '{name: p1, tag: 1, trunks: [2]}',
      'port "p1": an access port has no trunks; leave out trunks, or say vlan_mode: native-untagged',
    ],
    [
      '{name: p1, interfaces: []}',
      'port "p1" has 0 interfaces; it needs one: bonds are not supported',
    ],
    [
      '{name: p1, interfaces: [{name: a}, {name: b}]}',
      'port "p1" has 2 interfaces; it needs one: bonds are not supported',
    ],
    [
      '{name: p1, type: tap, interfaces: [{name: a}]}',
      'port "p1" lists its interfaces: write type there',
    ],
    [
      '{name: p1, interfaces: [{name: a, tag: 1}]}',
      'an interface has no key "tag"; known are name, type, ofport_request, mac, mtu_request, options, netns, addresses',
    ],
    ['{name: p1, interfaces: [{name: br0}]}', 'interface "br0": the name is taken by bridge "br0"'],
    ['{name: br0}\n  - {name: br0}', 'port "br0": the name is taken by port "br0"'],
    ['{type: tap}', 'this port needs a name'],
    [
      '{name: p1, ofport_request: 3}\n  - {name: p2, ofport_request: 3}',
      'ofport_request 3 is asked for by "p1" already',
    ],
    [
      'p1',
      'expected a port, a map of name, type, ofport_request, mac, mtu_request, options, netns, addresses, tag, trunks, vlan_mode, other_config, interfaces; got "p1"',
    ],
    ['{name: p1, tag: *nowhere}', 'there is no anchor "nowhere"'],
  ])('names what is wrong with %s', (port, message) => {
    const found = problems(withPort(port));
    expect(found).toHaveLength(1);
    expect(found[0].replace(/^net\.yaml:[45]:\d+: /, '')).toBe(message);
  });

  it.each([
    ['', 'net.yaml:1:1: a topology needs the key bridges, a list of bridges'],
    ['bridge: []', 'net.yaml:1:1: a topology needs the key bridges, a list of bridges'],
    ['- a', 'net.yaml:1:1: expected a topology, a map of bridges, other_config; got a list'],
    [
      'bridges: [{name: a}, {name: a}]',
      'net.yaml:1:29: bridge "a": the name is taken by bridge "a"',
    ],
    [
      'bridges: []\n---\nbridges: []\n',
      'net.yaml:2:1: a second YAML document begins here; one file is one topology',
    ],
  ])('says of the file %j where it is wrong', (text, first) => {
    expect(problems(text)[0]).toBe(first);
  });

  it('says where the text is no YAML at all', () => {
    expect(problems('bridges:\n- name: "br0\n')[0]).toMatch(
      /^net\.yaml:\d:\d+: Missing closing "quote/,
    );
  });

  it('does not list more problems than one can read', () => {
    const ports = Array.from({ length: 70 }, (_, i) => `{name: p${i}, tag: x}`);
    const found = problems(`bridges: [{name: br0, ports: [${ports.join(', ')}]}]`);
    expect(found).toHaveLength(51);
    expect(found[50]).toBe('... and 20 more');
  });
});

describe('a hostile topology', () => {
  it.each([
    ['brackets', '['.repeat(100_000)],
    ['braces', '{a: '.repeat(50_000)],
    ['dashes', '- '.repeat(50_000)],
    ['question marks', '? '.repeat(50_000)],
    ['indentation', Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
  ])('is refused when nested too deeply with %s', (_, text) => {
    expect(problems(text)[0]).toMatch(/nested more than 64 deep$/);
  });

  it('is refused when aliases multiply what is to be read', () => {
    const ports = Array.from({ length: 2000 }, (_, i) => `{name: p${i}}`).join(', ');
    const copies = Array.from({ length: 500 }, (_, i) => `{name: b${i}, ports: *all}`).join(', ');
    const text = `bridges: [{name: br0, ports: &all [${ports}]}, ${copies}]`;
    expect(problems(text)[0]).toMatch(/more than 500000 values, aliases' included$/);
  });

  it('is refused when an alias contains itself', () => {
    expect(problems('bridges: &all [{name: br0, ports: *all}]')).not.toEqual([]);
  });

  it('is refused when larger than 16 MiB or of more tokens than any topology', () => {
    expect(problems('#'.repeat(16 * 1024 * 1024 + 1))[0]).toMatch(/at most 16777216 are read$/);
    expect(problems(`[${'a,'.repeat(550_000)}]`)[0]).toMatch(/more than 1000000 tokens$/);
  });

  it('never makes anything but a configuration or a BAD_CONFIG error', () => {
    const pieces = fc.constantFrom(
      ...[
        'bridges',
        'name',
        'ports',
        'tag',
        ': ',
        ':',
        '- ',
        '\n',
        '\n  ',
        '[',
        ']',
        '{',
        '}',
        ',',
      ],
      ...[
        '&a ',
        '*a',
        '!!str ',
        '"',
        "'",
        '|\n',
        '>',
        '#',
        '---\n',
        '%YAML',
        'null',
        '0x1',
        'é',
        '\0',
      ],
    );
    const texts = fc.array(fc.oneof(pieces, pieces, fc.string({ maxLength: 4 })), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(texts, (parts) => {
        for (const line of problems(parts.join(''))) {
          expect(line).toMatch(/^(net\.yaml:\d+:\d+: .|\.\.\. and)/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
