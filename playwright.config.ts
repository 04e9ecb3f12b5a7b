import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  // A whole merge on a software adapter, with exploring in front of it.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  // SwiftShader takes every core it finds: two browsers at once only slow each other down.
  workers: 1,
  retries: 0,
  forbidOnly: true,
  reporter: 'list',
});
