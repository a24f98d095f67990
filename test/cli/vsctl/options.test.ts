import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseOptions } from '../../../src/cli/vsctl/options.ts';
import { run } from '../../../src/cli/vsctl/program.ts';

describe('options', () => {
  it('end at the first word, and what stands behind it is not looked at', () => {
    const { options, words } = parseOptions(['--no-wait', 'list-br', '--oneline']);
    expect(options).toMatchObject({ waits: false, isOneLine: false });
    expect(words).toEqual(['list-br', '--oneline']);
  });

  it('of the first command may stand among those of the program', () => {
    const { commandOptions, words } = parseOptions(['--if-exists', '-t3', '--id=@a', 'get', 'x']);
    expect([...commandOptions]).toEqual([
      ['--if-exists', undefined],
      ['--id', '@a'],
    ]);
    expect(words).toEqual(['get', 'x']);
  });

  it('may be shortened while it is clear which is meant', () => {
    expect(parseOptions(['--onel', 'x']).options.isOneLine).toBe(true);
    expect(() => parseOptions(['--re', 'x'])).toThrow(
      "option '--re' is ambiguous; possibilities: '--retry' '--real'",
    );
    expect([...parseOptions(['--fa', 'x']).commandOptions.keys()]).toEqual(['--fake']);
  });

  it('say where the database is, by default in the run directory', () => {
    vi.stubEnv('OVS_RUNDIR', '/somewhere');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    expect(parseOptions(['x']).options.database).toBe('unix:/somewhere/db.sock');
    expect(parseOptions(['--db=tcp:h:1', 'x']).options.database).toBe('tcp:h:1');
  });

  it.each(['0', '-1', 'x', '4294967296'])('take no --timeout of %s', (seconds) => {
    expect(() => parseOptions(['-t', seconds])).toThrow(
      `value ${seconds} on -t or --timeout is invalid`,
    );
  });
});

describe('without a server', () => {
  async function outcome(...argv: string[]) {
    const text = { out: '', err: '' };
    const code = await run(argv, {
      writeOut: (each) => {
        text.out += each;
      },
      writeError: (each) => {
        text.err += each;
      },
      isTerminal: true,
      alarm: () => 142,
    });
    return { code, ...text };
  }

  it('a run fails at once, and says so', async () => {
    const reason = 'database connection failed (No such file or directory)';
    expect(await outcome('--db=unix:/nope/a,unix:/nope/b', 'list-br')).toEqual({
      code: 1,
      out: '',
      err: `ovs-vsctl: unix:/nope/a,unix:/nope/b: ${reason}\n`,
    });
  });

  it('a command line that is wrong is refused before anybody connects', async () => {
    const { code, err } = await outcome('--db=unix:/nope', 'get', 'Bridge', 'br0', 'nope');
    const message = 'Bridge does not contain a column whose name matches "nope"';
    expect([code, err]).toEqual([1, `ovs-vsctl: ${message}\n`]);
  });

  it('ssl: says which files are missing', async () => {
    const { err } = await outcome('--db=ssl:127.0.0.1:1', 'list-br');
    expect(err).toContain('|stream_ssl|ERR|Private key must be configured to use SSL\n');
    expect(err).toContain('|stream_ssl|ERR|CA certificate must be configured to use SSL\n');
    expect(err).toMatch(/database connection failed \(Protocol not available\)\n$/);
  });

  it('tells what there is', async () => {
    expect((await outcome('--version')).out).toMatch(
      /^ovs-vsctl \(Open vSwitch\) 3\.1\.0\nDB Schema 8\.3\.1\ntapflow \d/,
    );
    expect((await outcome('--commands')).out).toContain('[--may-exist] ,add-br,!NEW-BRIDGE');
    expect((await outcome('--options')).out).toContain('--timeout=ARG\n-t ARG\n');
    const { out } = await outcome('--help');
    expect(out).toContain('    via "qos" of Port with matching "name"\n');
  });

  it('warns somebody at a terminal of a get that gets nothing', async () => {
    const { err } = await outcome('--db=unix:/nope', 'get', 'Bridge', 'br0');
    expect(err).toContain('"get" command without row arguments or "--id" is possibly erroneous');
  });
});
