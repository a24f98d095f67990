/**
 * Bar charts as SVG: a group of bars for each cell, a bar for each rival, its
 * height the median, its whiskers the quartiles. Colours work on light and on
 * dark paper.
 */
import { short } from './report.js';

const WIDTH = 960;
const HEIGHT = 400;
const MARGIN = { left: 76, right: 12, top: 84, bottom: 44 };
const PLOT = {
  width: WIDTH - MARGIN.left - MARGIN.right,
  height: HEIGHT - MARGIN.top - MARGIN.bottom,
};
const BASELINE = MARGIN.top + PLOT.height;
/** Share of a group's width that stays empty, between it and the next. */
const GROUP_GAP = 0.2;
const WHISKER_HALF = 3;
const TICKS = 5;
const LEGEND_COLUMNS = 4;
const LEGEND_ROW = 18;

/** Okabe and Ito's colours, which the colour-blind can tell apart, darkened where pale. */
const COLOURS = {
  L: '#8c8c8c',
  LU: '#5a5a5a',
  tapflow: '#d55e00',
  'tapflow-plain': '#e69f00',
  ovs: '#0072b2',
  'ovs-tso': '#56b4e9',
  vde: '#009e73',
  bridge: '#cc79a7',
};

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #333 }
  .title { font-size: 15px; font-weight: 600 }
  .axis, .whisker { stroke: #333; stroke-width: 1 }
  .grid { stroke: #8884; stroke-width: 1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #ddd }
    .axis, .whisker { stroke: #ddd }
  }`;

/**
 * @typedef {object} Bar
 * @property {string} name of the rival
 * @property {string} title of the rival
 * @property {number} median
 * @property {number} q1
 * @property {number} q3
 *
 * @typedef {object} Chart
 * @property {string} title
 * @property {string} unit
 * @property {{ label: string, bars: Bar[] }[]} groups
 */

/**
 * @param {Chart} chart
 * @returns {string} an SVG document
 */
export function barChart({ title, unit, groups }) {
  const scale = chooseScale(Math.max(...groups.flatMap(({ bars }) => bars.map((bar) => bar.q3))));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${escapeXml(title)}, ${escapeXml(unit)}</title>`,
    `<style>${STYLE}\n</style>`,
    text(MARGIN.left, 20, title, { class: 'title' }),
    text(MARGIN.left, 36, unit),
    ...legend(groups),
    ...yAxis(scale),
    ...groups.flatMap((group, i) => groupOfBars(group, i, groups.length, scale)),
    line('axis', MARGIN.left, BASELINE, WIDTH - MARGIN.right, BASELINE),
    '</svg>\n',
  ].join('\n');
}

/**
 * Round steps that reach above the largest value.
 * @param {number} largest
 * @returns {{ step: number, top: number }}
 * @public for tests
 */
export function chooseScale(largest) {
  const raw = Math.max(largest, Number.MIN_VALUE) / TICKS;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 2.5, 5].find((m) => m * power >= raw) ?? 10);
  return { step, top: step * Math.ceil(largest / step) };
}

/** @param {Chart['groups']} groups */
function legend(groups) {
  const titles = new Map(
    groups.flatMap(({ bars }) => bars.map(({ name, title }) => [name, title])),
  );
  return [...titles].flatMap(([name, title], i) => {
    const x = MARGIN.left + (i % LEGEND_COLUMNS) * (PLOT.width / LEGEND_COLUMNS);
    const y = 46 + Math.floor(i / LEGEND_COLUMNS) * LEGEND_ROW;
    return [rect(x, y, 10, 10, COLOURS[name]), text(x + 15, y + 9, title)];
  });
}

/** @param {{ step: number, top: number }} scale */
function yAxis(scale) {
  const count = Math.round(scale.top / scale.step);
  return Array.from({ length: count + 1 }, (_, i) => i * scale.step).flatMap((value) => {
    const y = yOf(value, scale);
    return [
      line('grid', MARGIN.left, y, WIDTH - MARGIN.right, y),
      text(MARGIN.left - 8, y + 4, short(value), { 'text-anchor': 'end' }),
    ];
  });
}

/**
 * @param {{ label: string, bars: Bar[] }} group
 * @param {number} index
 * @param {number} count
 * @param {{ step: number, top: number }} scale
 */
function groupOfBars({ label, bars }, index, count, scale) {
  const slot = PLOT.width / count;
  const left = MARGIN.left + index * slot + (slot * GROUP_GAP) / 2;
  const width = (slot * (1 - GROUP_GAP)) / Math.max(bars.length, 1);
  const name = text(MARGIN.left + (index + 0.5) * slot, BASELINE + 18, label, {
    'text-anchor': 'middle',
  });
  return [name, ...bars.flatMap((bar, i) => oneBar(bar, left + i * width, width, scale))];
}

/**
 * @param {Bar} bar
 * @param {number} x
 * @param {number} width
 * @param {{ step: number, top: number }} scale
 */
function oneBar({ name, median, q1, q3 }, x, width, scale) {
  const middle = x + width / 2;
  const [low, high] = [yOf(q1, scale), yOf(q3, scale)];
  const top = yOf(median, scale);
  return [
    rect(x + 1, top, Math.max(width - 2, 1), BASELINE - top, COLOURS[name]),
    line('whisker', middle, low, middle, high),
    line('whisker', middle - WHISKER_HALF, low, middle + WHISKER_HALF, low),
    line('whisker', middle - WHISKER_HALF, high, middle + WHISKER_HALF, high),
  ];
}

/**
 * @param {number} value
 * @param {{ step: number, top: number }} scale
 */
function yOf(value, { top }) {
  return BASELINE - (value / top) * PLOT.height;
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} content
 * @param {Record<string, string>} [attributes]
 */
function text(x, y, content, attributes = {}) {
  const more = Object.entries(attributes).map(([name, value]) => ` ${name}="${value}"`);
  return `<text x="${round(x)}" y="${round(y)}"${more.join('')}>${escapeXml(content)}</text>`;
}

/**
 * @param {string} kind
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 */
function line(kind, x1, y1, x2, y2) {
  return `<line class="${kind}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
}

/**
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 * @param {string} colour
 */
function rect(x, y, width, height, colour) {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${colour}"/>`;
}

/** @param {number} value */
const round = (value) => Number(value.toFixed(1));

/** @param {string} content */
function escapeXml(content) {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
