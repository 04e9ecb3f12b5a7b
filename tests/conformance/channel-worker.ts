/** Workers of the CPU backend on message channels: messages are cloned and buffers move as they do between threads. */
import type { FromPoolWorker, PoolWorker, ToPoolWorker } from '../../src/cpu/pool-messages';
import { serveParts } from '../../src/cpu/serve';
import { createWorkspace } from '../../src/cpu/workspace';

export interface ChannelWorker extends PoolWorker {
  /** Passes asked for so far. */
  readonly passes: () => number;
}

/**
 * @param diesAfter passes that are answered before the worker dies, without a word to those who asked
 * @param simd as a worker's own choice
 * @param silentAfter passes that are answered before the worker answers nothing any more, and is said to be well
 */
export function channelWorker(diesAfter = Infinity, simd = true, silentAfter = Infinity): ChannelWorker {
  const { port1: here, port2: there } = new MessageChannel();
  let passes = 0;
  let die: (reason: string) => void = () => {};
  const receive = serveParts((message, transfer) => there.postMessage(message, transfer), createWorkspace(simd));
  there.onmessage = ({ data }: MessageEvent<ToPoolWorker>) => {
    if (!('request' in data || 'adapt' in data)) return receive(data);
    if (++passes > diesAfter) die('crashed');
    else if (passes <= silentAfter) receive(data);
  };
  return {
    passes: () => passes,
    post: (message, transfer) => here.postMessage(message, transfer),
    listen(onMessage, onDeath) {
      here.onmessage = ({ data }: MessageEvent<FromPoolWorker>) => onMessage(data);
      die = onDeath;
    },
    terminate() {
      here.close();
      there.close();
    },
  };
}
