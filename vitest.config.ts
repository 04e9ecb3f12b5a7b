import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { findChromium, launchArguments } from './scripts/chromium.mjs';

// Where none is found Playwright's own is named, and its error says how to install it.
const executablePath = await findChromium();

export default defineConfig({
  test: {
    projects: [
      {
        test: { name: 'unit', environment: 'node', include: ['tests/unit/**/*.test.{ts,tsx}'] },
      },
      {
        test: { name: 'conformance-cpu', environment: 'node', include: ['tests/conformance/cpu*.test.ts'] },
      },
      {
        // All dependencies of these tests, named: what Vite finds only while they run makes it reload them in the middle.
        optimizeDeps: { entries: ['tests/browser/**/*.test.ts', 'tests/conformance/webgpu.test.ts'], include: ['yaml', 'fast-check'] },
        test: {
          name: 'browser',
          include: ['tests/browser/**/*.test.{ts,tsx}', 'tests/conformance/webgpu*.test.ts'],
          // SwiftShader computes on the CPU: a whole conformance case can take many seconds.
          testTimeout: 120_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                ...(executablePath === null ? {} : { executablePath }),
                args: launchArguments({ webgpu: true }),
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
