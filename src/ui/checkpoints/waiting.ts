/** Of a link and of a dropped recipe, when nothing but a job stands in the way. */
export const WAITS_FOR_JOB = 'All it names is open. It replaces the recipe shown when the job that is running has ended.';
