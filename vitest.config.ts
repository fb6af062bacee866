import { defineConfig } from 'vitest/config';

/** A process for each of these files: they kill, block and measure it, or load modules that say in whose hands they are. */
const APART = [
  ...['test/faults/**', 'infra/**', 'libs/task/src/isolated/**'],
  ...['libs/runtime/src/metrics/**', 'libs/runtime/src/telemetry/**'],
].map((folder) => `${folder}/*.test.ts`);
const WHOLE = ['test/**/*.test.ts'];
/** Their coverage is asked for, so `npm test` runs them by themselves. */
const CORE = ['libs/core/**/*.test.ts'];
const NEVER = ['**/node_modules/**', 'test/long/**'];

export default defineConfig({
  test: {
    globalSetup: ['test/support/servers.ts'],
    setupFiles: ['test/support/each-file.ts'],
    pool: 'forks',
    // Most files mostly wait, for a lease to end, a process to start, a second to pass: one takes less than half a processor.
    maxWorkers: 4,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What is polled for comes, however busy the machine is; vitest itself waits for a second only.
    expect: { poll: { timeout: 15_000 } },
    coverage: {
      include: ['libs/core/src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/index.ts'],
      thresholds: { lines: 100, branches: 100, functions: 100, statements: 100 },
    },
    // Begun in the order of their names, so that no long file is left for the end. Outside of `apart` a process takes
    // file after file: nothing of ours keeps anything in a module, and starting it anew is most of what a small file costs.
    projects: [
      { extends: true, test: { name: 'apart', include: APART, exclude: NEVER } },
      { extends: true, test: { name: 'core', include: CORE, isolate: false } },
      {
        extends: true,
        test: {
          name: 'units',
          include: ['{apps,libs}/**/*.test.ts'],
          exclude: [...NEVER, ...CORE, ...APART],
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: 'system', include: WHOLE, exclude: [...NEVER, ...APART], isolate: false },
      },
    ],
  },
});
