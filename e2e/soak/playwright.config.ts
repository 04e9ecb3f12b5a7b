import { defineConfig } from '@playwright/test';

/** The soak alone: hours, one tab, no second try. `npm run soak` starts it. */
export default defineConfig({
  testDir: '.',
  testMatch: 'tab.soak.ts',
  outputDir: '../../test-results/soak',
  timeout: 0,
  expect: { timeout: 300_000 },
  workers: 1,
  retries: 0,
  reporter: 'line',
});
