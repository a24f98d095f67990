/**
 * The worker as one file, with constants inlined. tsc's output works as well,
 * but V8 loads an imported constant from its module's cell each time: bundled,
 * the worker's loop takes two thirds of the time (docs/adr/0005, bench/worker).
 */
import { defineConfig } from 'rolldown';

/** For this build and for bench/worker, which measures what it yields. */
export const options = {
  platform: 'node',
  external: [/^node:/],
  optimization: { inlineConst: { mode: 'all', pass: 3 } },
};

export default defineConfig({
  ...options,
  input: 'dist/datapath/worker.js',
  // Beside native.js, since the addon is looked for relative to the file.
  output: { file: 'dist/worker.js', format: 'esm' },
});
