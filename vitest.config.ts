import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { findChromium, launchArguments } from './scripts/chromium.mjs';
import { kernels } from './scripts/kernels.mjs';

// Where none is found Playwright's own is named, and its error says how to install it.
const executablePath = await findChromium();

/** A test hangs after this many milliseconds; on a busy machine those of seconds take many times as long. */
const HANGS = 300_000;

const COMMON = { testTimeout: HANGS, hookTimeout: HANGS, setupFiles: ['tests/seed.ts'] };

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [kernels()],
        // Files share their modules: loading them anew for each took longer than most tests. What a test changes of one it puts back.
        test: { ...COMMON, name: 'unit', environment: 'node', isolate: false, include: ['tests/unit/**/*.test.{ts,tsx}'] },
      },
      {
        plugins: [kernels()],
        test: { ...COMMON, name: 'conformance-cpu', environment: 'node', include: ['tests/conformance/cpu*.test.ts'] },
      },
      {
        plugins: [kernels()],
        worker: { format: 'es', plugins: () => [kernels()] },
        // Every dependency by name, the page's as well: a test that asks for a path that is not there is given the page, Vite
        // follows its imports, and a dependency found only then makes it reload the tests in the middle.
        optimizeDeps: {
          include: ['yaml', 'fast-check', 'react', 'react-dom/client', 'react/jsx-dev-runtime', 'recharts', 'zustand', 'zustand/vanilla'],
        },
        test: {
          // One page for all files: they share a device and its pipelines (tests/conformance/adapter.ts). SwiftShader computes
          // on the CPU: a whole conformance case can take many seconds.
          ...COMMON,
          name: 'browser',
          isolate: false,
          include: ['tests/browser/**/*.test.{ts,tsx}', 'tests/conformance/webgpu*.test.ts'],
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
