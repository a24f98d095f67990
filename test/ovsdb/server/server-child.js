/** ovsdb-server as built, for tests that need it in a process of its own. */
import { main } from '../../../dist/ovsdb/server/program.js';

process.exit(await main(process.argv.slice(2)));
