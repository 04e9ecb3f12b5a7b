/** The views of a held group on this machine's adapter, in Chromium. */
import { failOnUncaptured, make, NAME } from './adapter';
import { describeViews } from './views';

failOnUncaptured();
describeViews(NAME, make(), { runs: 4 });
