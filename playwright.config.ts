import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  // A software adapter shares the cores with whatever else runs: a merge of seconds can take minutes on a busy machine.
  timeout: 600_000,
  expect: { timeout: 120_000 },
  // SwiftShader takes every core it finds: two browsers at once only slow each other down.
  workers: 1,
  retries: 0,
  forbidOnly: true,
  reporter: 'list',
});
