/** `tapflow vswitchd` as built, for tests to start. */
import { main } from '../../../dist/vswitchd/program.js';

process.exit(await main(process.argv.slice(2)));
