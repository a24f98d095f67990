/**
 * Random command lines to the stock ovs-vsctl and to ours: same words, same
 * exit code, same database afterwards. A few seeds in each test run; longer:
 *
 *     TAPFLOW_FUZZ_SECONDS=600 npx vitest run test/cli/vsctl/differential.fuzz.test.ts
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Pair, type Result } from './pair.ts';
import { RandomCommands } from './random-commands.ts';
import { stockMissing } from './stock-server.ts';

const SECONDS = Number(process.env.TAPFLOW_FUZZ_SECONDS ?? 0);
const FIRST = Number(process.env.TAPFLOW_FUZZ_SEED ?? 1);
const SEEDS = 6;
const LINES = 60;

const missing = stockMissing();

describe.skipIf(missing !== undefined)(
  `beside stock's${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    const pair = new Pair();
    beforeAll(() => pair.start());
    afterAll(() => pair.stop());

    it('random command lines do and say the same', { timeout: (SECONDS + 60) * 1000 }, async () => {
      const end = performance.now() + SECONDS * 1000;
      for (let seed = FIRST; seed < FIRST + SEEDS || performance.now() < end; seed++) {
        await pair.clear();
        await runSeed(seed);
      }
    });

    async function runSeed(seed: number): Promise<void> {
      const commands = new RandomCommands(seed, seed % 3 === 0 ? 12 : 3);
      for (let n = 0; n < LINES; n++) {
        const argv = commands.next();
        const about = `seed ${seed}, line ${n}: ${argv.map((word) => JSON.stringify(word)).join(' ')}`;
        const results = await pair.both(argv);
        if (results === undefined) continue;
        expect(comparable(results.ours), about).toEqual(comparable(results.stock));
        const { ours, stock } = await pair.contents();
        expect(ours, about).toEqual(stock);
      }
    }
  },
);

/**
 * What is wrong with a request the server says in its own words, and requests
 * are not the same; of several names that nobody gave, one is told, and about
 * which names there are warnings before that, depends on stock's hash tables.
 */
function comparable({ code, out, err }: Result): Result {
  const isTold = err.some((line) => /transaction error|referenced but never created/.test(line));
  return { code, out, err: isTold ? ['refused'] : [...err].sort() };
}
