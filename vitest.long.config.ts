import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

const { projects, ...shared } = base.test ?? {};

/** What takes minutes, or needs tools that are built first: `npm run test:long`. */
export default defineConfig({
  test: { ...shared, include: ['test/long/**/*.test.ts'], maxWorkers: 1, testTimeout: 600_000 },
});
