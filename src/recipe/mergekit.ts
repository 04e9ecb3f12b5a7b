/** MergeKit's YAML, out and in. */
export { toMergeKit } from './mergekit-write';
export type { RecipeChoices } from './mergekit-choices';
export { rewriteMergeKit, type RecipeText } from './mergekit-comments';
export { fromMergeKit } from './mergekit-read';
export { matchModel, type Findable } from './mergekit-names';
export type { MergeKitProblem, MergeKitReading } from './mergekit-read';
