import type { Report } from './report';
import { measureTensor } from './tensor';

declare global {
  interface Window {
    /** Set when all is measured; bench/run.mjs waits for it. */
    report?: Report | { readonly error: string };
  }
}

async function run(): Promise<Report> {
  return measureTensor(navigator.gpu, Number(new URLSearchParams(location.search).get('rows')));
}

run().then(
  (report) => {
    window.report = report;
  },
  (error: unknown) => {
    window.report = { error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  },
);
