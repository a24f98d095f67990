import { describe, expect, it } from 'vitest';
import { getopt, type OptionSpec } from '../../src/daemon/getopt.ts';

const SPECS: OptionSpec[] = [
  { name: 'pidfile', argument: 'optional' },
  { name: 'private-key', short: 'p', argument: 'required' },
  { name: 'detach', short: 'd', argument: 'none' },
  { name: 'verbose', short: 'v', argument: 'optional' },
  { name: 'remote', argument: 'required' },
];
const parse = (...argv: string[]) => getopt(argv, SPECS);
const options = (...argv: string[]) =>
  parse(...argv).options.map(({ name, value }) =>
    value === undefined ? name : `${name}=${value}`,
  );

describe('the command line', () => {
  it('takes an optional argument only when attached', () => {
    expect(parse('--pidfile', 'conf.db')).toEqual({
      options: [{ name: 'pidfile', value: undefined }],
      positionals: ['conf.db'],
    });
    expect(options('--pidfile=x', '--pidfile=', '-vdbg', '-v')).toEqual([
      ...['pidfile=x', 'pidfile=', 'verbose=dbg', 'verbose'],
    ]);
  });

  it('takes a required argument attached or as the next word, whatever it looks like', () => {
    expect(options('--remote=a=b', '--remote', '--detach', '-pk', '-p', '-')).toEqual([
      ...['remote=a=b', 'remote=--detach', 'private-key=k', 'private-key=-'],
    ]);
  });

  it('takes several letters in one word', () => {
    expect(options('-ddvdd')).toEqual(['detach', 'detach', 'verbose=dd']);
  });

  it('finds options among positionals, and none after --', () => {
    expect(parse('a', '--detach', '-', '--', '--detach')).toEqual({
      options: [{ name: 'detach', value: undefined }],
      positionals: ['a', '-', '--detach'],
    });
  });

  it('takes a name that is shortened but clear', () => {
    expect(options('--det', '--pi=x')).toEqual(['detach', 'pidfile=x']);
  });

  it.each([
    [['--nonsense=1'], "unrecognized option '--nonsense=1'"],
    [['--p=1'], "option '--p=1' is ambiguous; possibilities: '--pidfile' '--private-key'"],
    [['--det=1'], "option '--detach' doesn't allow an argument"],
    [['--remote'], "option '--remote' requires an argument"],
    [['-dx'], "invalid option -- 'x'"],
    [['-p'], "option requires an argument -- 'p'"],
  ])('says what is wrong with %j', (argv, message) => {
    expect(() => parse(...argv)).toThrow(message);
  });
});
