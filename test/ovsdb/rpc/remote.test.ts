import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPassive, parseRemote } from '../../../src/ovsdb/rpc/remote.ts';

const parse = (text: string) => parseRemote(text, '/run/tapflow');

describe('a remote', () => {
  it.each([
    ['tcp:192.0.2.1', { kind: 'tcp', host: '192.0.2.1', port: 6640 }],
    ['tcp:192.0.2.1:6632', { kind: 'tcp', host: '192.0.2.1', port: 6632 }],
    ['ssl:[2001:db8::1]', { kind: 'ssl', host: '2001:db8::1', port: 6640 }],
    ['ssl:[2001:db8::1]:1', { kind: 'ssl', host: '2001:db8::1', port: 1 }],
    ['tcp:::1', { kind: 'tcp', host: '::1', port: 6640 }],
    ['tcp:[fe80::1%eth0]:6640', { kind: 'tcp', host: 'fe80::1%eth0', port: 6640 }],
    ['tcp:db.example.org:65535', { kind: 'tcp', host: 'db.example.org', port: 65535 }],
    ['ptcp:', { kind: 'ptcp', host: '0.0.0.0', port: 6640 }],
    ['ptcp:0', { kind: 'ptcp', host: '0.0.0.0', port: 0 }],
    ['ptcp:6632:127.0.0.1', { kind: 'ptcp', host: '127.0.0.1', port: 6632 }],
    ['pssl:6640:[::]', { kind: 'pssl', host: '::', port: 6640 }],
    ['ptcp::127.0.0.1', { kind: 'ptcp', host: '127.0.0.1', port: 6640 }],
    ['unix:/run/db.sock', { kind: 'unix', path: '/run/db.sock' }],
    ['punix:db.sock', { kind: 'punix', path: '/run/tapflow/db.sock' }],
  ])('is read from %s', (text, remote) => {
    expect(parse(text)).toEqual(remote);
  });

  it.each([
    ['', 'tcp:, ssl:, unix:, ptcp:, pssl: or punix: was expected'],
    ['/run/db.sock', 'tcp:, ssl:, unix:, ptcp:, pssl: or punix: was expected'],
    ['http:localhost', 'tcp:, ssl:, unix:, ptcp:, pssl: or punix: was expected'],
    ['tcp:', 'an IP address, an IPv6 address in [], or a name was expected, not ""'],
    ['tcp:192.0.2.300', 'was expected, not "192.0.2.300"'],
    ['tcp:a b:1', 'was expected, not "a b"'],
    ['tcp:[192.0.2.1]', 'an IPv6 address was expected in the brackets, not "192.0.2.1"'],
    ['tcp:192.0.2.1:0', 'a port from 1 to 65535 was expected'],
    ['tcp:192.0.2.1:65536', 'a port up to 65535 was expected, not "65536"'],
    ['ptcp:-1', 'a port up to 65535 was expected, not "-1"'],
    ['ptcp:6640:[::1', 'was expected, not "[::1"'],
    ['unix:', 'the path of a socket was expected'],
    ['punix:a\0b', 'the path of a socket was expected'],
    [`punix:/${'x'.repeat(107)}`, 'has 108 bytes and Linux takes 107: use a shorter one'],
  ])('is refused when it is %j', (text, what) => {
    expect(() => parse(text)).toThrow(what);
    expect(() => parse(text)).toThrow(`"${text}" is no remote`);
  });

  it('takes the longest path that a socket can have', () => {
    expect(parse(`punix:/${'x'.repeat(106)}`)).toMatchObject({ kind: 'punix' });
    expect(() => parse(`unix:/${'é'.repeat(54)}`)).toThrow('has 109 bytes');
  });

  it('is refused with its own error, whatever the text', () => {
    const part = fc.constantFrom(
      'tcp:',
      'pssl:',
      'unix:',
      '[',
      ']',
      ':',
      '1',
      '::1',
      'a',
      '%',
      '.',
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(part).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          const remote = parse(text);
          expect(text.startsWith('p')).toBe(isPassive(remote));
        } catch (error) {
          expect(error).toMatchObject({ code: 'BAD_REMOTE' });
        }
      }),
    );
  });
});
