import { describe, expect, test } from 'vitest';
import { TapflowError } from '../../src/lib/error.ts';
import { checkSpec } from '../../src/ports/check-spec.ts';

const check = (change: object) => () => checkSpec({ name: 'p1', type: 'tap', ...change });

describe('checkSpec', () => {
  test('accepts what Linux accepts', () => {
    check({ name: 'exactly15bytes_', mac: 'FE:00:00:00:00:01', mtu: 68, netns: 'blue-1' })();
    check({ mtu: 65535 })();
  });

  test.each([
    [{ name: '' }, 'port name ""'],
    [{ name: 'sixteen-bytes-xx' }, 'sixteen-bytes-xx'],
    [{ name: 'éééééééé' }, 'éééééééé'],
    [{ name: 'a/b' }, 'a/b'],
    [{ name: 'a b' }, 'a b'],
    [{ name: 'tap%d' }, 'tap%d'],
    [{ name: '..' }, '".."'],
    [{ name: 'a\0' }, 'port name'],
    [{ mac: '01:00:5e:00:00:01' }, '01:00:5e:00:00:01'],
    [{ mac: '00:00:00:00:00:00' }, '00:00:00:00:00:00'],
    [{ mac: '02:00:00:00:00' }, '02:00:00:00:00'],
    [{ mac: '02-00-00-00-00-01' }, '02-00-00-00-00-01'],
    [{ mtu: 67 }, '67'],
    [{ mtu: 65536 }, '65536'],
    [{ mtu: 1500.5 }, '1500.5'],
    [{ mtu: Number.NaN }, 'NaN'],
    [{ netns: '../etc' }, '../etc'],
    [{ netns: '' }, 'netns ""'],
    [{ netns: '.' }, 'netns "."'],
  ])('refuses %o and names the value', (change, named) => {
    expect(check(change)).toThrow(TapflowError);
    expect(check(change)).toThrow(named);
  });
});
