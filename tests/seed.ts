/**
 * Property tests draw the same examples in every run, so that a run of everything means the same each time. `FAST_CHECK_SEED=N`
 * draws others; what a search finds becomes an example of its own.
 */
import fc from 'fast-check';

const DEFAULT_SEED = 20_240_703;
const given = typeof process === 'undefined' ? undefined : process.env['FAST_CHECK_SEED'];
fc.configureGlobal({ seed: given === undefined ? DEFAULT_SEED : Number(given) });
