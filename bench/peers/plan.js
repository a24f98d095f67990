/**
 * From options to a list of measurements, in the order they run: repeats go
 * A B C A B C within a cell.
 */
import { RIVALS } from './rivals/index.js';
import { idle } from './rows/idle.js';
import { row1 } from './rows/row1.js';
import { row2 } from './rows/row2.js';
import { row3 } from './rows/row3.js';
import { row4 } from './rows/row4.js';

/**
 * @typedef {import('./rivals/rival.js').Rival} Rival
 * @typedef {import('./rows/row.js').Cell} Cell
 * @typedef {{ cell: Cell, rival: Rival, repeat: number }} Measurement
 */

/**
 * Repeat by repeat within a cell; in a smoke run, rival by rival.
 * @param {Cell[]} cells
 * @param {Rival[]} rivals
 * @param {import('./options.js').Options} options
 * @returns {Measurement[]}
 */
export function plan(cells, rivals, { repeats, smoke }) {
  const rounds = cells.flatMap((cell) =>
    Array.from({ length: repeats }, (_, repeat) =>
      rivals
        .filter((rival) => rival.supports(cell.config))
        .map((rival) => ({ cell, rival, repeat })),
    ).flat(),
  );
  if (!smoke) return rounds;
  return rounds.sort((a, b) => rivals.indexOf(a.rival) - rivals.indexOf(b.rival));
}

/** @param {import('./options.js').Options} options */
export function planCells({ rows, only, smoke }) {
  const builders = { 1: row1, 2: row2, 3: row3, 4: row4, idle };
  return rows.flatMap((row) => builders[row](smoke)).filter(({ id }) => only.test(id));
}

/** @param {import('./options.js').Options} options */
export function findRivals({ rivals }) {
  const chosen = RIVALS.filter(({ name }) => rivals.includes(name));
  const skipped = chosen.flatMap(({ name, missing }) => {
    const reason = missing();
    return reason === undefined ? [] : [{ name, reason }];
  });
  const present = chosen.filter(({ name }) => !skipped.some((s) => s.name === name));
  return { present, skipped };
}
