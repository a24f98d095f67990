'use strict';

/**
 * Runs a program of dist/ with this process's arguments, and ends with its exit
 * code when all that it printed has been taken: a pipe may be slow.
 *
 * @param {Promise<{ main(argv: readonly string[]): Promise<number> }>} program
 */
module.exports = async function run(program) {
  const { main } = await program;
  const code = await main(process.argv.slice(2));
  process.stdout.on('error', () => process.exit(code));
  process.stdout.write('', () => process.exit(code));
};
