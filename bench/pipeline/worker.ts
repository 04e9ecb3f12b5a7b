/** The studio's own worker, with a raw copy and the ledger beside it. */
import './watch';
import '../../src/worker/main';
