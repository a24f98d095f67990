/** The command line of `npm run bench:peers`, and the effort that its options stand for. */
import { parseArgs } from 'node:util';

export const HELP = `Usage: npm run bench:peers -- [options]

Measures tapflow beside its rivals, interleaved, in namespaces of its own. Needs root.

  --row LIST       rows to run: 1,2,3,4,idle (default: all)
  --rivals LIST    L,LU,tapflow,tapflow-plain,ovs,ovs-tso,vde,bridge (default: all)
  --only PATTERN   only cells whose id matches this regular expression, such as '^1/64'
  --repeats N      interleaved repeats (default: 5)
  --seconds N      length of one measurement (default: 10)
  --smoke          each row and rival once and briefly: exit code 0 if every number is plausible
  --json FILE      where the results go (default: bench/results/TIME.json)
  --out FOLDER     rewrite FOLDER/performance.md and FOLDER/figures (default: neither)
  --from FILE,...  measure nothing, show the results of earlier runs (with --out)
  --help
`;

const SMOKE_SECONDS = 0.4;
const ROWS = ['1', '2', '3', '4', 'idle'];

/**
 * @typedef {object} Options
 * @property {string[]} rows
 * @property {string[]} rivals
 * @property {RegExp} only
 * @property {number} repeats
 * @property {boolean} smoke
 * @property {string | undefined} json
 * @property {string | undefined} out
 * @property {string | undefined} from
 * @property {boolean} help
 * @property {import('./rows/row.js').Effort} effort
 */

/**
 * @param {string[]} argv
 * @param {string[]} rivalNames all there are
 * @returns {Options}
 * @throws {TypeError} with a message for the user
 */
export function parseOptions(argv, rivalNames) {
  const { values } = parseArgs({
    args: argv,
    options: {
      row: { type: 'string', default: ROWS.join(',') },
      rivals: { type: 'string', default: rivalNames.join(',') },
      only: { type: 'string', default: '' },
      repeats: { type: 'string' },
      seconds: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      json: { type: 'string' },
      out: { type: 'string' },
      from: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { smoke, json, out, from, help } = values;
  return {
    rows: list('--row', values.row, ROWS),
    rivals: list('--rivals', values.rivals, rivalNames),
    only: new RegExp(values.only),
    repeats: number('--repeats', values.repeats, smoke ? 1 : 5),
    smoke,
    json,
    out,
    from,
    help,
    effort: effort(number('--seconds', values.seconds, smoke ? SMOKE_SECONDS : 10), smoke),
  };
}

/**
 * @param {number} seconds
 * @param {boolean} smoke
 * @returns {import('./rows/row.js').Effort}
 */
function effort(seconds, smoke) {
  return {
    seconds,
    idleSeconds: smoke ? seconds : seconds * 6,
    warmSeconds: smoke ? 0.2 : 1,
    maxWarmSeconds: smoke ? SMOKE_SECONDS : 60,
    searchSteps: smoke ? 1 : 5,
    confirmStep: smoke ? 0.7 : 0.95,
    smoke,
  };
}

/**
 * @param {string} option
 * @param {string} text
 * @param {string[]} known
 */
function list(option, text, known) {
  const names = text.split(',');
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`${option} ${unknown}: no such name, choose from ${known.join(',')}`);
  }
  return names;
}

/**
 * @param {string} option
 * @param {string | undefined} text
 * @param {number} fallback
 */
function number(option, text, fallback) {
  const value = Number(text ?? fallback);
  if (!(value > 0)) throw new TypeError(`${option} ${text}: expected a number above 0`);
  return value;
}
