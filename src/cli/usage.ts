/** What the command line takes. */
import { parseArgs } from 'node:util';

export interface Part {
  /** 1-based. */
  readonly part: number;
  readonly of: number;
}
export interface Options {
  readonly command: 'merge' | 'batch' | 'plan' | 'verify';
  /** Path of the recipe, MergeKit YAML. */
  readonly recipe: string;
  readonly out: string | null;
  /** Folder by the name the recipe uses. */
  readonly models: ReadonlyMap<string, string>;
  readonly backend: 'auto' | 'cpu' | 'webgpu';
  /** Largest output shard, payload bytes. */
  readonly shardBytes: number;
  /** Most bytes that groups under way may hold. */
  readonly memoryBytes: number;
  readonly part: Part | null;
  /** Joins so many finished parts. */
  readonly finish: number | null;
  readonly replace: boolean;
  /** Compute everything again by other code and compare. */
  readonly recheck: boolean;
  /** Carries on an unfinished merge that is in the folder. */
  readonly resume: boolean;
  readonly allowNonfinite: boolean;
  /** Name of the model whose extra rows are kept. */
  readonly extraRows: string | null;
  /** Rows of tokens under other ids are matched by id. */
  readonly rowsById: boolean;
  /** Tensors a model is left out for, as `MODEL:TENSOR`. */
  readonly leaveOut: readonly string[];
  /** Whose integer tensor to keep, as `TENSOR=MODEL`. */
  readonly integersFrom: readonly string[];
  /** Of `batch`: two models by name, and the densities of each. */
  readonly grid: readonly { readonly model: string; readonly densities: readonly number[] }[];
  readonly quiet: boolean;
}

/** A command line that cannot be carried out: exit code 2. */
export class UsageError extends Error {}

export const USAGE = `merging-studio merge RECIPE.yml --out FOLDER [options]
merging-studio plan  RECIPE.yml [options]
merging-studio batch RECIPE.yml --out FOLDER --grid MODEL=K,K --grid MODEL=K,K [options]   every pair of densities, a folder each
merging-studio verify RECIPE.yml --out FOLDER [options]   merges again, compares with FOLDER, writes nothing

RECIPE.yml is MergeKit YAML; its model paths are folders, taken from where RECIPE.yml lies.

  --model NAME=FOLDER     where a model of the recipe is, when its name is no path; repeat it
  --backend auto|cpu|webgpu
  --shard-size 5GB        largest output shard (kB, MB, GB, or bytes)
  --memory 1GB            what may be held while merging, beside the buffers of the writer; more reads larger pieces
  --part I/N              only the I-th of N disjoint parts of the output, for a scheduler
  --finish N              joins N finished parts into the folder, index last
  --grid MODEL=0.2,0.4    densities of one model of a batch; twice
  --replace               replace an export that is in the folder, finished or not
  --resume                carry on the unfinished merge, or batch, of this recipe that is in the folder
  --recheck               compute everything again on the CPU once it is written, and compare
  --extra-rows NAME       keep the embedding rows that only this model has; otherwise they are cut
  --rows-by-id            match embedding rows by id although the tokenizers differ; otherwise by token
  --leave-out MODEL:TENSOR      leave a model out where its shape differs; repeat it
  --integer-from TENSOR=MODEL   whose integer tensor to keep where they differ; repeat it
  --allow-nonfinite       merge although inputs hold NaN or infinite values
  --quiet                 print errors only
  --help

Exit codes: 0 done, 1 a fault while running, 2 a command or recipe that cannot be carried out, 130 interrupted; --resume carries on, of merge and batch.`;

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, mib: 2 ** 20, gib: 2 ** 30 };

/** Reads the arguments after `node script`; null for `--help`. Throws UsageError. */
export function readOptions(argv: readonly string[]): Options | null {
  const { values, positionals } = parse(argv);
  if (values.help === true || positionals.length === 0) return null;
  const [command, recipe, ...rest] = positionals;
  if (command !== 'merge' && command !== 'batch' && command !== 'plan' && command !== 'verify') throw new UsageError(`there is no command ${command}: merge, batch, plan or verify`);
  if (recipe === undefined) throw new UsageError(`${command} needs the path of a recipe`);
  if (rest.length > 0) throw new UsageError(`${rest.join(' ')}: one recipe at a time`);
  if (command !== 'plan' && values.out === undefined) throw new UsageError(`${command} needs --out FOLDER`);
  const part = values.part === undefined ? null : readPart(values.part);
  const finish = values.finish === undefined ? null : count(values.finish, '--finish');
  if (part !== null && finish !== null) throw new UsageError('--part and --finish are two steps: every part first, then --finish');
  if (values.recheck === true && command !== 'merge' && command !== 'batch') throw new UsageError(`${command} takes no --recheck`);
  const grid = (values.grid ?? []).map(readDensities);
  if (command === 'batch' ? grid.length !== 2 || grid[0]!.model === grid[1]!.model : grid.length > 0) throw new UsageError('batch needs --grid MODEL=K,K for two models, and no other command takes it');
  if (values.resume === true && (values.replace === true || part !== null || finish !== null || (command !== 'merge' && command !== 'batch'))) throw new UsageError('--resume goes with merge and batch, without --replace, --part or --finish: a part is run again instead');
  if (command === 'batch' && (part !== null || finish !== null || values.replace === true)) throw new UsageError('batch takes no --part, --finish or --replace');
  return {
    command,
    recipe,
    out: values.out ?? null,
    models: new Map((values.model ?? []).map((pair) => split(pair, '=', '--model NAME=FOLDER'))),
    backend: oneOf(values.backend ?? 'auto', ['auto', 'cpu', 'webgpu'], '--backend'),
    shardBytes: readBytes(values['shard-size'] ?? '5GB', '--shard-size'),
    memoryBytes: readBytes(values.memory ?? '1152MiB', '--memory'),
    part,
    finish,
    replace: values.replace ?? false,
    recheck: values.recheck ?? false,
    resume: values.resume ?? false,
    allowNonfinite: values['allow-nonfinite'] ?? false,
    extraRows: values['extra-rows'] ?? null,
    rowsById: values['rows-by-id'] ?? false,
    leaveOut: values['leave-out'] ?? [],
    integersFrom: values['integer-from'] ?? [],
    grid,
    quiet: values.quiet ?? false,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        out: { type: 'string', short: 'o' },
        model: { type: 'string', multiple: true, short: 'm' },
        'rows-by-id': { type: 'boolean' },
        backend: { type: 'string' },
        'shard-size': { type: 'string' },
        memory: { type: 'string' },
        part: { type: 'string' },
        finish: { type: 'string' },
        grid: { type: 'string', multiple: true },
        replace: { type: 'boolean' },
        recheck: { type: 'boolean' },
        resume: { type: 'boolean' },
        'allow-nonfinite': { type: 'boolean' },
        'extra-rows': { type: 'string' },
        'leave-out': { type: 'string', multiple: true },
        'integer-from': { type: 'string', multiple: true },
        quiet: { type: 'boolean', short: 'q' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** The two sides of `separator`, neither empty. Throws UsageError naming `form`. */
export function split(text: string, separator: string, form: string): [string, string] {
  const at = text.indexOf(separator);
  if (at <= 0 || at === text.length - 1) throw new UsageError(`${text}: expected ${form}`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function readDensities(text: string): Options['grid'][number] {
  const [model, list] = split(text, '=', '--grid MODEL=0.2,0.4');
  const densities = [...new Set(list.split(',').map(Number))];
  if (!densities.every((density) => density > 0 && density <= 1)) throw new UsageError(`--grid ${text}: densities are above 0 and up to 1`);
  return { model, densities };
}

function readPart(text: string): Part {
  const [part, of] = split(text, '/', '--part I/N').map((number) => count(number, '--part'));
  if (part! > of!) throw new UsageError(`--part ${text}: there are ${of} parts`);
  return { part: part!, of: of! };
}

function count(text: string, option: string): number {
  const number = Number(text);
  if (!/^\d{1,5}$/.test(text) || number < 1) throw new UsageError(`${option} ${text}: expected a number from 1`);
  return number;
}

function readBytes(text: string, option: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? [];
  const factor = unit === undefined ? undefined : UNITS[unit.toLowerCase()];
  const bytes = Math.trunc(Number(number) * (factor ?? NaN));
  if (!(bytes >= 1)) throw new UsageError(`${option} ${text}: expected a size such as 5GB`);
  return bytes;
}

function oneOf<T extends string>(text: string, all: readonly T[], option: string): T {
  const found = all.find((one) => one === text);
  if (found === undefined) throw new UsageError(`${option} ${text}: expected ${all.join(', ')}`);
  return found;
}
