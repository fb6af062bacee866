import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** What takes minutes, or needs tools that are built first: `npm run test:long`. */
export default mergeConfig(
  { ...base, test: { ...base.test, include: [], exclude: ['**/node_modules/**'] } },
  defineConfig({ test: { include: ['test/long/**/*.test.ts'], maxWorkers: 1, testTimeout: 600_000 } }),
);
