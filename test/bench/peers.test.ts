/**
 * The parts of bench/peers/ that decide what a figure says: statistics, what is
 * read from /proc and from other programs, the scale of charts, the page's
 * sections. The benches themselves are held by their smoke runs in CI.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

interface Summary {
  values: number[];
  median: number;
  q1: number;
  q3: number;
}
type Samples = (number | undefined)[];

/** Benches are plain JavaScript; each test says what it expects of them. */
async function load<T>(file: string): Promise<T> {
  return (await import(String(new URL(`../../bench/peers/${file}`, import.meta.url)))) as T;
}

const { quantile, ratios, summarize } = await load<{
  quantile(values: number[], share: number): number;
  ratios(samples: Samples, base: Samples): Summary | undefined;
  summarize(samples: Samples): Summary | undefined;
}>('statistics.js');
const { parseNetDev, parseStatTicks } = await load<{
  parseNetDev(text: string, name: string): Record<string, number>;
  parseStatTicks(stat: string): number;
}>('proc.js');
const { parseIperf, parsePing } = await load<{
  parseIperf(json: string): { bitsPerSecond: number; retransmits: number };
  parsePing(text: string): number[];
}>('probes.js');
const { barChart, chooseScale } = await load<{
  barChart(chart: object): string;
  chooseScale(largest: number): { step: number; top: number };
}>('figure.js');
const { replaceSection } = await load<{
  replaceSection(page: string, name: string, content: string): string;
}>('page.js');
const { implausible, short, summarizeCells } = await load<{
  implausible(results: object): string[];
  short(value: number): string;
  summarizeCells(cells: object[], rivals: object[], samples: object[]): CellResult[];
}>('report.js');
const { parseOptions } = await load<{
  parseOptions(argv: string[], rivals: string[]): { rows: string[]; repeats: number };
}>('options.js');
const { fiveTupleFlows } = await load<{ fiveTupleFlows(): string[] }>('rivals/five-tuple.js');

interface CellResult {
  metrics: { rivals: { name: string; value?: Summary; toL?: Summary; toOvs?: Summary }[] }[];
}

const numbers = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1 });

describe('statistics', () => {
  test('quartiles enclose the median, and both lie within the values', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const { q1, median, q3 } = summarize(values) as Summary;
        const ordered = [Math.min(...values), q1, median, q3, Math.max(...values)];
        expect(ordered).toEqual([...ordered].sort((a, b) => a - b));
      }),
    );
  });

  test('a quantile lies between its two neighbours', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([10, 20, 30, 40, 50], 0.25)).toBe(20);
    expect(quantile([7], 0.999)).toBe(7);
  });

  test('drift of the machine cancels out of ratios taken repeat by repeat', () => {
    const drift = [1, 0.5, 2, 1.3, 0.9];
    const ratio = ratios(
      drift.map((d) => 300 * d),
      drift.map((d) => 200 * d),
    ) as Summary;
    expect(ratio.median).toBeCloseTo(1.5);
    expect(ratio.q3 - ratio.q1).toBeCloseTo(0);
  });

  test('a repeat that one of the two lacks is left out of the ratio', () => {
    expect(ratios([1, undefined, 9], [2, 2, undefined])?.values).toEqual([0.5]);
    expect(ratios([undefined], [1])).toBeUndefined();
    expect(ratios([1], [0])).toBeUndefined();
  });
});

describe('what is read from the kernel', () => {
  test('a process may have blanks and brackets in its name', () => {
    const rest = 'S 1 2 2 0 -1 4194560 10 0 0 0 123 45 0 0 20 0 1 0 100 1000 50';
    expect(parseStatTicks(`77 (a) b) (c) ${rest}`)).toBe(168);
  });

  test('counters are those of the interface named, not of one whose name begins likewise', () => {
    const text = `Inter-|   Receive                            |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
   h10:     1       2    0    3    0     0          0         0        4       5    0    6    0     0       0          0
    h1:    10      20    0   30    0     0          0         0       40      50    0   60    0     0       0          0
`;
    expect(parseNetDev(text, 'h1')).toEqual({
      rxBytes: 10,
      rxPackets: 20,
      rxDropped: 30,
      txPackets: 50,
      txDropped: 60,
    });
    expect(() => parseNetDev(text, 'h2')).toThrow('h2');
  });
});

describe('what is read from other programs', () => {
  test('ping gives microseconds', () => {
    const line = '64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=';
    expect(parsePing(`${line}0.045 ms\n${line}12.3 ms\n2 packets transmitted`)).toEqual([
      45, 12300,
    ]);
  });

  test('an error of iperf3 is told, not counted as 0', () => {
    expect(() => parseIperf('{"error": "unable to connect"}')).toThrow('unable to connect');
  });
});

describe('results', () => {
  const metric = { name: 'rate', unit: 'packets/s', better: 'higher', plausible: [1000, 1e8] };
  const config = { ports: 2 };
  const cell = { row: '1', id: '1/64', title: '64 bytes', group: 'g', config, metrics: [metric] };
  const rival = (name: string) => ({ name, title: name, supports: () => true });
  const record = (name: string, repeat: number, rate?: number) => ({
    cell: '1/64',
    rival: name,
    repeat,
    readings: { rate },
  });

  test('each rival is compared with L and ovs within a repeat', () => {
    const records = [
      ...[record('L', 0, 4000), record('ovs', 0, 2000), record('tapflow', 0, 5000)],
      ...[record('L', 1, 8000), record('ovs', 1, 4000), record('tapflow', 1, 10_000)],
    ];
    const [result] = summarizeCells([cell], ['L', 'ovs', 'tapflow'].map(rival), records);
    const tapflow = result.metrics[0].rivals.find(({ name }) => name === 'tapflow');
    expect(tapflow?.value?.median).toBe(7500);
    expect(tapflow?.toL?.values).toEqual([1.25, 1.25]);
    expect(tapflow?.toOvs?.values).toEqual([2.5, 2.5]);
  });

  test('a failure, a missing number and an impossible one are each named', () => {
    const failed = { ...record('vde', 0), failure: 'did not start' };
    const records = [record('L', 0, 12), record('ovs', 0), failed];
    const cells = [{ id: '1/64', metrics: [metric], records }];
    const problems = implausible({ cells });
    expect(problems).toHaveLength(3);
    for (const name of ['L', 'ovs', 'vde: did not start']) {
      expect(problems.filter((problem) => problem.startsWith(`1/64 ${name}`))).toHaveLength(1);
    }
  });

  test('numbers are shown with three digits', () => {
    expect([0, 0.01234, 9.87654, 321.9, 4321, 380_456, 1_234_567].map(short)).toEqual([
      '0',
      '0.0123',
      '9.88',
      '322',
      '4321',
      '380k',
      '1.23M',
    ]);
  });
});

describe('charts', () => {
  test('the scale is round and reaches just above the largest value', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e12, noNaN: true }), (largest) => {
        const { step, top } = chooseScale(largest);
        expect(top).toBeGreaterThanOrEqual(largest * (1 - 1e-9));
        expect(top - step).toBeLessThanOrEqual(largest * (1 + 1e-9));
      }),
    );
  });

  test('every group and rival is drawn and named, with markup escaped', () => {
    const bar = { name: 'L', title: 'L <limit>', median: 2, q1: 1, q3: 3 };
    const groups = [
      { label: '64', bars: [bar] },
      { label: '128', bars: [bar, { ...bar, name: 'ovs', title: 'ovs' }] },
    ];
    const svg = barChart({ title: 'full load', unit: 'packets/s', groups });
    expect(svg.match(/<rect /g)).toHaveLength(3 + 2);
    expect(svg).toContain('L &lt;limit&gt;');
    expect(svg).toContain('>128</text>');
    expect(svg).toContain('packets/s');
    expect(svg).not.toContain('NaN');
  });
});

describe('the page', () => {
  const page = 'prose\n<!-- measured:row-1 -->\nold\n<!-- /measured:row-1 -->\nmore prose\n';

  test('only what stands between the markers is replaced, however often', () => {
    const once = replaceSection(page, 'row-1', 'new $& table');
    expect(once).toMatch(/^prose\n/);
    expect(once).toMatch(/\nmore prose\n$/);
    expect(once).toContain('new $& table');
    expect(once).not.toContain('old');
    expect(replaceSection(once, 'row-1', 'new $& table')).toBe(once);
  });

  test('a missing section is an error that names it', () => {
    expect(() => replaceSection(page, 'row-2', 'x')).toThrow('measured:row-2');
  });
});

describe('the command line', () => {
  test('an unknown row or rival is refused by name', () => {
    expect(() => parseOptions(['--row', '1,7'], ['L'])).toThrow('--row 7');
    expect(() => parseOptions(['--rivals', 'L,xyz'], ['L'])).toThrow('--rivals xyz');
    expect(() => parseOptions(['--repeats', 'many'], ['L'])).toThrow('--repeats many');
  });

  test('a full run has five repeats unless told otherwise', () => {
    expect(parseOptions([], ['L']).repeats).toBe(5);
    expect(parseOptions(['--smoke'], ['L']).repeats).toBe(1);
  });
});

test('the 5-tuple rules match each byte of addresses and ports once', () => {
  const flows = fiveTupleFlows();
  const masks = new Set(flows.slice(1).map((flow) => flow.replace(/=[^/,]*\//, '=VALUE/')));
  expect(flows).toHaveLength(1 + 12 * 256);
  expect(masks.size).toBe(12);
});
