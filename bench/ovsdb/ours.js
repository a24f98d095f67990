/** ovsdb-server as built. */
import { main } from '../../dist/ovsdb/server/program.js';

process.exit(await main(process.argv.slice(2)));
