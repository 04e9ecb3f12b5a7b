/** An interrupted merge in words. */
import { traitsOf } from '../../recipe/methods';
import type { UnfinishedMerge } from '../../worker/protocol';
import { formatBytes, plural, showName } from '../format';

/** `TIES of sft and ct on base, begun …: 2 of 3 shards (3.1 of 4.7 GB) are finished, made by …`. */
export function mergeWords({ recipe, sources, started, shards, done, bytesDone, bytes, madeBy, keepsOld }: UnfinishedMerge): string {
  const nameOf = (id: string) => showName(sources.find((source) => source.id === id)?.name ?? id, 40);
  const models = recipe.models.map(({ model }) => nameOf(model)).join(' and ');
  const date = new Date(started).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  const finished = `${done} of ${plural(shards, 'shard')} (${formatBytes(bytesDone)} of ${formatBytes(bytes)}) ${done === 1 ? 'is' : 'are'} finished`;
  return [
    `${traitsOf(recipe.method).short} of ${models}${recipe.base === null ? '' : ` on ${nameOf(recipe.base)}`}, begun ${date}: ${finished}${madeBy.length === 0 ? '' : `, made by ${madeBy.join(' and ')}`}.`,
    ...(keepsOld ? ['The older export there is as it was.'] : []),
  ].join(' ');
}
