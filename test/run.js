/**
 * `npm test`: runs vitest and closes with the plain line
 * `N passed, N failed, N skipped`, which other tools read. Arguments are
 * vitest's.
 */
import { startVitest } from 'vitest/node';

const counts = { passed: 0, failed: 0, skipped: 0 };
const STATES = { passed: 'passed', failed: 'failed', skipped: 'skipped', pending: 'failed' };

const vitest = await startVitest('test', process.argv.slice(2), { watch: false });
let errors = vitest.state.getUnhandledErrors().length;
for (const module of vitest.state.getTestModules()) {
  // A file that cannot be loaded has no tests to count.
  errors += module.errors().length;
  for (const test of module.children.allTests()) counts[STATES[test.result().state]]++;
}
await vitest.close();
counts.failed += errors;
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1);
