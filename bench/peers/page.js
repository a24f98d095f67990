/**
 * Puts results into docs/performance.md and draws its figures. The page's prose
 * is written by hand; this file only replaces what stands between
 * `<!-- measured:NAME -->` and `<!-- /measured:NAME -->`, NAME being `machine` or
 * `row-N`, and leaves rows alone that the results do not have.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { barChart } from './figure.js';
import { short } from './report.js';

/**
 * @typedef {import('./report.js').Results} Results
 * @typedef {import('./report.js').CellResult} CellResult
 * @typedef {import('./report.js').MetricResult} MetricResult
 */

/**
 * @param {string} folder that holds performance.md
 * @param {Results} results
 */
export function writePage(folder, results) {
  const path = join(folder, 'performance.md');
  const figures = join(folder, 'figures');
  mkdirSync(figures, { recursive: true });
  let page = replaceSection(readFileSync(path, 'utf8'), 'machine', machineTable(results));
  for (const [row, cells] of groupBy(results.cells, (cell) => cell.row)) {
    page = replaceSection(page, `row-${row}`, rowSection(row, cells, figures));
  }
  writeFileSync(path, page);
}

/**
 * @param {string} page
 * @param {string} name
 * @param {string} content
 */
export function replaceSection(page, name, content) {
  const [open, close] = [`<!-- measured:${name} -->`, `<!-- /measured:${name} -->`];
  const [start, end] = [page.indexOf(open), page.indexOf(close)];
  if (start === -1 || end < start) {
    throw new Error(`performance.md has no section between ${open} and ${close}`);
  }
  return `${page.slice(0, start + open.length)}\n\n${content.trim()}\n\n${page.slice(end)}`;
}

/**
 * @param {string} row
 * @param {CellResult[]} cells
 * @param {string} figures folder
 */
function rowSection(row, cells, figures) {
  const groups = groupBy(cells, (cell) => cell.group);
  const parts = [...groups].flatMap(([group, members]) =>
    members[0].metrics.map((_, i) => metricSection(row, group, members, i, figures)),
  );
  return [circumstances(cells), ...parts].join('\n\n');
}

/**
 * How the cells were measured, in a line; if not all alike, a line for each way.
 * @param {CellResult[]} cells
 */
function circumstances(cells) {
  const ways = groupBy(cells, ({ measured = '' }) => measured);
  if (ways.size === 1) return `${cells[0].measured}.`;
  const lines = [...ways].map(([way, members]) => {
    return `- ${members.map(({ title }) => title).join('; ')}: ${way}`;
  });
  return lines.join('\n');
}

/**
 * @param {string} row
 * @param {string} group
 * @param {CellResult[]} cells
 * @param {number} index of the metric
 * @param {string} figures
 */
function metricSection(row, group, cells, index, figures) {
  const { title, unit, figure } = cells[0].metrics[index];
  const heading = `**${group}: ${title}, ${unit}**`;
  const table = metricTable(cells, index);
  if (!figure) return `${heading}\n\n${table}`;
  const file = `row${row}-${slug(group)}-${slug(cells[0].metrics[index].name)}.svg`;
  const chart = { title: `${group}: ${title}`, unit, groups: chartGroups(cells, index) };
  writeFileSync(join(figures, file), barChart(chart));
  return `${heading}\n\n![${group}: ${title}, ${unit}](figures/${file})\n\n${table}`;
}

/**
 * A line for each cell, a column for each rival.
 * @param {CellResult[]} cells
 * @param {number} index
 */
function metricTable(cells, index) {
  const rivals = unique(cells.flatMap((cell) => cell.metrics[index].rivals.map((r) => r.title)));
  const lines = cells.map(({ title, metrics }) => {
    const entries = rivals.map((name) =>
      entry(metrics[index].rivals.find((r) => r.title === name)),
    );
    return `| ${[title, ...entries].join(' | ')} |`;
  });
  const rule = `|---|${rivals.map(() => '---:|').join('')}`;
  return [`| | ${rivals.join(' | ')} |`, rule, ...lines].join('\n');
}

/** @param {import('./report.js').RivalResult | undefined} rival */
function entry(rival) {
  if (rival?.value === undefined) return '';
  const { value, toL, toOvs } = rival;
  const compared = [
    toL === undefined ? [] : [`${toL.median.toFixed(2)} L`],
    toOvs === undefined ? [] : [`${toOvs.median.toFixed(2)} ovs`],
  ].flat();
  const range = `**${short(value.median)}** [${short(value.q1)}, ${short(value.q3)}]`;
  return compared.length === 0 ? range : `${range}<br>${compared.join(', ')}`;
}

/**
 * @param {CellResult[]} cells
 * @param {number} index
 * @returns {import('./figure.js').Chart['groups']}
 */
function chartGroups(cells, index) {
  return cells.map(({ title, metrics }) => {
    const measured = metrics[index].rivals.filter(({ value }) => value !== undefined);
    return {
      label: title,
      bars: measured.map(({ name, title, value }) => ({ name, title, ...value })),
    };
  });
}

/** @param {Results} results */
function machineTable({ machine, cpus, skipped }) {
  const pinning = `switch on CPU ${cpus.switch}, generators and receivers on CPU ${cpus.traffic}`;
  const rows = Object.entries({ ...machine, pinning });
  const absent = skipped.map(({ name, reason }) => `| not measured: ${name} | ${reason} |`);
  return ['| | |', '|---|---|', ...rows.map(([k, v]) => `| ${k} | ${v} |`), ...absent].join('\n');
}

/**
 * @template T
 * @param {T[]} items
 * @param {(item: T) => string} key
 * @returns {Map<string, T[]>}
 */
function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

/** @param {string[]} items */
const unique = (items) => [...new Set(items)];

/** @param {string} text */
const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, '-');
