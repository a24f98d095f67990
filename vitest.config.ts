import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    // Two cores: system tests and benches share them with what they measure.
    maxWorkers: 2,
    reporters: ['default'],
  },
});
