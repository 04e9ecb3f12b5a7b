import { closeSync, openSync, readFileSync } from 'node:fs';
import os from 'node:os';
import { ensureChromium } from './install-chromium.mjs';
import { ensureInstalled } from './project.mjs';
import { byStart, clearReports, lastLine, outputFile, STAGES } from './stages.mjs';

/** Stages at a time: most keep one core busy, and those with a browser little more. */
const LANES = Math.min(2, os.availableParallelism());

/** The stages that `--only a,b` names, with what they need in front; without it all but the extra ones, and those that `--also c` names. */
function chosenStages(args) {
  const names = (option) => args.flatMap((argument, i) => {
    if (argument === option) return (args[i + 1] ?? '').split(',');
    return argument.startsWith(`${option}=`) ? argument.slice(option.length + 1).split(',') : [];
  });
  const [only, also] = [names('--only'), names('--also')];
  const unknown = [...only, ...also].filter((name) => !STAGES.some((stage) => stage.name === name));
  const stray = args.filter((argument, i) => !/^--(only|also)(=|$)/.test(argument) && !/^--(only|also)$/.test(args[i - 1] ?? ''));
  if (unknown.length > 0 || stray.length > 0) {
    console.error(`Unknown: ${[...unknown, ...stray].join(', ')}. Usage: npm test [-- [--only NAME,NAME] [--also NAME]]`);
    console.error(`Stages: ${STAGES.map((stage) => stage.name).join(', ')}`);
    process.exit(2);
  }
  const wanted = new Set([...also, ...(only.length > 0 ? only : STAGES.filter(({ extra }) => !extra).map(({ name }) => name))]);
  for (const stage of STAGES) if (wanted.has(stage.name) && stage.needs) wanted.add(stage.needs);
  return STAGES.filter((stage) => wanted.has(stage.name));
}

/** Results by stage, `lanes` of them running at a time; `one` runs one, given the result of what it needs. */
async function runInLanes(stages, lanes, one) {
  const waiting = [...stages].sort(byStart);
  const running = new Map();
  const results = new Map();
  const isWanted = (name) => stages.some((stage) => stage.name === name);
  while (waiting.length + running.size > 0) {
    const ready = running.size < lanes ? waiting.findIndex(({ needs }) => !isWanted(needs) || results.has(needs)) : -1;
    if (ready < 0) {
      await Promise.race(running.values());
      continue;
    }
    const [stage] = waiting.splice(ready, 1);
    const done = one(stage, results.get(stage.needs)).then((result) => {
      results.set(stage.name, result);
      running.delete(stage.name);
    });
    running.set(stage.name, done);
  }
  return results;
}

/** Runs a stage beside others: its output is kept in a file and shown whole once it has ended. */
async function runKept({ name, title, run }, env) {
  const file = outputFile(name);
  console.log(`Started: ${title} (${file})`);
  const output = openSync(file, 'w');
  const began = performance.now();
  const result = await run({ env, output });
  closeSync(output);
  console.log(`\n=== ${title}: ${seconds(began).toFixed(1)} s\n${readFileSync(file, 'utf8').trimEnd()}\n`);
  return result;
}

const seconds = (began) => (performance.now() - began) / 1000;

function printTable(rows) {
  const width = Math.max(...rows.map((row) => row.title.length));
  console.log(`\n${'Stage'.padEnd(width)}  ${'passed'.padStart(7)}  ${'failed'.padStart(7)}  ${'seconds'.padStart(8)}`);
  for (const row of rows) {
    const cells = [String(row.passed).padStart(7), String(row.failed).padStart(7), row.seconds.toFixed(1).padStart(8)];
    console.log(`${row.title.padEnd(width)}  ${cells.join('  ')}${row.note ? `  ${row.note}` : ''}`);
  }
}

const stages = chosenStages(process.argv.slice(2));
await ensureInstalled();
clearReports();

const env = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
let browserProblem = null;
if (stages.some((stage) => stage.browser)) {
  try {
    env.CHROMIUM = await ensureChromium();
    console.log(`Browser: ${env.CHROMIUM}`);
  } catch (error) {
    browserProblem = error.message;
    console.error(browserProblem);
  }
}

const began = performance.now();
const results = await runInLanes(stages, LANES, async (stage, needed) => {
  const from = performance.now();
  const obstacle = stage.browser && browserProblem ? 'no browser' : needed && needed.failed > 0 ? `${stage.needs} failed` : null;
  const ran = obstacle ? { passed: 0, failed: 1, note: `not run: ${obstacle}` } : await (stages.length > 1 ? runKept(stage, env) : stage.run({ env }));
  return { ...ran, title: stage.title, seconds: seconds(from) };
});

const rows = stages.map(({ name }) => results.get(name));
printTable(rows);
console.log(`\n${lastLine(rows, seconds(began), LANES)}`);
process.exit(rows.every(({ failed }) => failed === 0) ? 0 : 1);
