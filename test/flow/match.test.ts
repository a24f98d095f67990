/** Matches: what they match, how they are read, printed, and refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extractReference } from '../../src/flow/extract-reference.ts';
import { FIELDS, fieldByName, requireField } from '../../src/flow/fields.ts';
import { FLOW_WORDS } from '../../src/flow/key.ts';
import {
  exactMask,
  getField,
  matches,
  newMatch,
  setField,
  writeField,
} from '../../src/flow/match.ts';
import { formatMatch } from '../../src/flow/match-format.ts';
import { parseMatch } from '../../src/flow/match-text.ts';
import { TapflowError } from '../../src/lib/error.ts';
import { buildFrame, type FrameRecord } from '../../src/wire/frame.ts';
import { matchText } from './match-arbitrary.ts';

const anyField = fc.constantFrom(...FIELDS);
const anyWords = fc.array(fc.integer(), { minLength: FLOW_WORDS, maxLength: FLOW_WORDS });

describe('a field', () => {
  it('reads as what was written, and leaves all other bits alone', () => {
    fc.assert(
      fc.property(anyField, fc.bigInt(0n, (1n << 128n) - 1n), anyWords, (field, bits, words) => {
        const flow = Int32Array.from(words);
        const value = bits & exactMask(field);
        writeField(flow, field, value);
        expect(getField(flow, field)).toBe(value);
        const other = Int32Array.from(words);
        writeField(other, field, 0n);
        writeField(flow, field, 0n);
        expect(flow).toEqual(other);
      }),
    );
  });

  it('is found under each of its names, and each name is one field', () => {
    const names = FIELDS.flatMap((field) => [field.name, ...field.aliases]);
    expect(new Set(names).size).toBe(names.length);
    for (const field of FIELDS) {
      for (const name of [field.name, ...field.aliases]) expect(fieldByName(name)).toBe(field);
    }
  });

  it('that needs a tag asks for one', () => {
    const match = newMatch();
    setField(match, requireField('vlan_pcp'), 3n);
    expect(formatMatch(match)).toBe('dl_vlan_pcp=3');
  });
});

describe('a match', () => {
  it('reads back, after printing, as it was', () => {
    fc.assert(
      fc.property(matchText, (text) => {
        const match = parseMatch(text);
        const printed = formatMatch(match);
        expect(parseMatch(printed)).toEqual(match);
        expect(formatMatch(parseMatch(printed))).toBe(printed);
      }),
    );
  });

  it('has no value bits outside its mask', () => {
    fc.assert(
      fc.property(matchText, (text) => {
        const { value, mask } = parseMatch(text);
        expect(value.every((word, i) => (word & ~mask[i]) === 0)).toBe(true);
      }),
    );
  });

  it('does not depend on the order of its fields', () => {
    fc.assert(
      fc.property(matchText, (text) => {
        const reversed = text.split(',').toReversed().join(',');
        expect(parseMatch(reversed)).toEqual(parseMatch(text));
      }),
    );
  });

  it('is fulfilled by flows that agree with it where it looks, and by no others', () => {
    fc.assert(
      fc.property(matchText, anyWords, fc.nat(FLOW_WORDS * 32 - 1), (text, words, bit) => {
        const match = parseMatch(text);
        const flow = Int32Array.from(words, (word, i) => match.value[i] | (word & ~match.mask[i]));
        expect(matches(match, flow)).toBe(true);
        flow[bit >> 5] ^= 1 << (bit & 31);
        expect(matches(match, flow)).toBe((match.mask[bit >> 5] & (1 << (bit & 31))) === 0);
      }),
    );
  });

  const web: FrameRecord = { vlans: [{ vid: 7 }], ipv4: { dst: '10.1.2.3' }, tcp: { dstPort: 80 } };
  it.each<[text: string, record: FrameRecord, expected: boolean]>([
    ['', web, true],
    ['tcp,tp_dst=80', web, true],
    ['tcp,tp_dst=81', web, false],
    ['udp', web, false],
    ['ip,nw_dst=10.1.0.0/16', web, true],
    ['ip,nw_dst=10.2.0.0/16', web, false],
    ['dl_vlan=7', web, true],
    ['dl_vlan=8', web, false],
    ['dl_vlan=0xffff', web, false],
    ['vlan_tci=0', { arp: {} }, true],
    ['vlan_tci=0x1000/0x1000', web, true],
    ['tcp,tcp_flags=+syn-ack', web, true],
    ['tcp,tcp_flags=+ack', web, false],
    ['ip,nw_frag=no', web, true],
    ['ip,nw_frag=later', { ipv4: { fragment: 5 } }, true],
    ['ip,nw_frag=yes', { ipv4: { fragment: 0x2000 } }, true],
    ['ip,nw_frag=not_later', { ipv4: { fragment: 5 } }, false],
    ['in_port=1', web, true],
    ['in_port=2', web, false],
  ])('"%s" and the packet %j: %s', (text, record, expected) => {
    const flow = new Int32Array(FLOW_WORDS);
    flow.set(extractReference(buildFrame(record), 1));
    expect(matches(parseMatch(text), flow)).toBe(expected);
  });

  it('takes ports by name, and prints them so', () => {
    const ports = {
      byName: (name: string) => ({ eth0: 5, 'tap-1': 6 })[name],
      nameOf: (port: number) => ({ 5: 'eth0', 6: 'tap-1' })[port],
    };
    expect(formatMatch(parseMatch('in_port=eth0', ports), ports)).toBe('in_port=eth0');
    expect(formatMatch(parseMatch('in_port="tap-1"', ports), ports)).toBe('in_port="tap-1"');
    expect(formatMatch(parseMatch('in_port=tap-1', ports))).toBe('in_port=6');
    expect(formatMatch(parseMatch('in_port=7', ports), ports)).toBe('in_port=7');
  });
});

describe('a bad match', () => {
  it.each([
    ['foo=1', 'foo=1 (at character 1) is not a field: see ovs-fields(7)'],
    ['tcp,foo', 'foo (at character 5) is not a field: see ovs-fields(7)'],
    ['in_port=', 'in_port= (at character 1) needs a value'],
    ['dl_src', 'dl_src (at character 1) needs a value'],
    ['tcp=1', 'tcp=1 (at character 1) takes no value'],
    ['=5', '=5 (at character 1) is not a field'],
    ['in_port=nope', 'is not a port: give its number, or a name this bridge knows'],
    ['in_port=70000', 'is not a port'],
    ['ip,nw_src=1.2.3', 'nw_src=1.2.3 (at character 4) is not an IPv4 address'],
    ['ip,nw_src=1.2.3.4/33', 'has a prefix length above 32'],
    ['ip,nw_src=1.2.3.4/x', 'has a mask that is not an IPv4 address'],
    ['ipv6,ipv6_src=1::2::3', 'is not an IPv6 address'],
    ['dl_dst=1:2:3', 'is not an Ethernet address'],
    ['reg0=0x100000000', 'is too large for 32 bits'],
    ['reg0=-1', 'is not a number'],
    ['reg0=5/', 'has a mask that is not a number'],
    ['reg0=1/2/3', 'is not a number'],
    ['dl_vlan=4096', 'is too large for 12 bits'],
    ['ip,nw_tos=3', 'is not a multiple of 4 of 8 bits'],
    ['ip,nw_ttl=64/0xf0', 'this field can only be matched whole: leave the mask out'],
    ['ip,nw_frag=maybe', 'is not one of no, yes, first, later, not_later'],
    ['ip,nw_frag=toString', 'is not one of no, yes, first, later, not_later'],
    ['tcp,tcp_flags=+foo', 'is not a list of flags: fin syn rst'],
    ['tcp,tcp_flags=+syn-syn', 'is not a list of flags: fin syn rst'],
    ['packet_type=5', 'is not a packet type: write (NAMESPACE,TYPE)'],
    ['tp_dst=80', 'needs tcp or tcp6, or udp or udp6'],
    ['nw_src=1.2.3.4', 'needs ip, or arp or rarp in the same match'],
    ['tcp,udp_dst=4', 'udp_dst=4 (at character 5) needs udp or udp6 in the same match'],
    ['icmp6,nd_target=::1', 'needs icmp6 and icmpv6_type=135 or 136'],
    ['tcp,nw_frag=later,tp_dst=1', 'and a later fragment has no ports'],
    ['in_port=1,in_port=2', 'in_port=2 (at character 11) contradicts what stands before it'],
    ['ip,nw_src=10.0.0.0/8,nw_src=10.1.0.0/16', 'contradicts what stands before it'],
    ['tcp,udp', 'udp (at character 5) contradicts what stands before it'],
    ['reg0=1,xreg0=0', 'xreg0=0 (at character 8) contradicts what stands before it'],
  ])('"%s" is refused by name, place and remedy', (text, message) => {
    const attempt = (): unknown => parseMatch(text);
    expect(attempt).toThrow(TapflowError);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(expect.objectContaining({ code: 'BAD_MATCH' }));
  });

  it('is refused with BAD_MATCH, whatever the text', () => {
    const pieces = fc.constantFrom(
      ...['tcp', 'ip', 'nw_src', 'reg0', 'in_port', '=', ',', '/', '1', '0x', '::', '(', ')', '"'],
      ...['+', '-', '|', ' ', '__proto__', 'constructor', 'tcp_flags', 'nw_frag', '*', 'é'],
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (bad) => {
        try {
          formatMatch(parseMatch(bad));
        } catch (error) {
          expect(error).toMatchObject({ name: 'TapflowError', code: 'BAD_MATCH' });
        }
      }),
      { numRuns: 2000 },
    );
  });
});
