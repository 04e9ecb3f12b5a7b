/** Workers of the CPU backend on message channels: messages are cloned and buffers move as they do between threads. */
import type { FromPoolWorker, PoolWorker, ToPoolWorker } from '../../src/cpu/pool-messages';
import { serveParts } from '../../src/cpu/serve';
import { createWorkspace } from '../../src/cpu/workspace';

export interface ChannelWorker extends PoolWorker {
  /** Passes asked for so far. */
  readonly passes: () => number;
}

/**
 * @param diesAfter passes that are answered before the worker dies, silently as a crash is
 * @param simd as a worker's own choice
 */
export function channelWorker(diesAfter = Infinity, simd = true): ChannelWorker {
  const { port1: here, port2: there } = new MessageChannel();
  let passes = 0;
  let die: (reason: string) => void = () => {};
  const receive = serveParts((message, transfer) => there.postMessage(message, transfer), createWorkspace(simd));
  there.onmessage = ({ data }: MessageEvent<ToPoolWorker>) => {
    if (('request' in data || 'adapt' in data) && ++passes > diesAfter) die('crashed');
    else receive(data);
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
