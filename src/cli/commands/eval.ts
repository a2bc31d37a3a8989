import { basename, join } from 'node:path';
import { Command } from 'commander';
import { tryKept } from '../../answerer/kept.js';
import { MeditronError, optionError } from '../../check/errors.js';
import { choice, whole } from '../../check/kinds.js';
import { engineOptions, loadOptions } from '../../check/machine.js';
import { tryFolder, tryOutput, writeOutput } from '../../check/outputs.js';
import { evaluate } from '../../evaluate/evaluate.js';
import { panelIn } from '../../evaluate/panel/folder.js';
import { panelReportOf } from '../../evaluate/panel/report.js';
import { calibrationInWords } from '../../evaluate/report/calibration.js';
import { htmlReport } from '../../evaluate/report/html.js';
import { compareEvaluations, reportJson, reportOf } from '../../evaluate/report/report.js';
import { terminalReport } from '../../evaluate/report/terminal.js';
import type { EvaluationReport } from '../../evaluate/report/types.js';
import { untilLoaded } from '../../evaluate/run/again.js';
import { runOptions } from '../../evaluate/run/options.js';
import { localTarget, type Target } from '../../evaluate/run/target.js';
import { calibratedRun, calibrationOf } from '../../evaluate/score/calibrate.js';
import type { Reading } from '../../evaluate/score/read.js';
import { readEvaluation, type StoredEvaluation } from '../../evaluate/storage/evaluation.js';
import { loadQuestions, type Questions } from '../../evaluate/tasks/load.js';
import { type TaskName, taskNames } from '../../evaluate/tasks/task.js';
import { addFlags, addModelFlags, flag, optionsOf, prefixOption } from '../flags.js';
import { load, type ModelFlags } from '../load.js';
import { evaluatePanel, type PanelEvalFlags } from '../panel/eval.js';
import { panelOption } from '../panel/flags.js';
import { interrupts } from '../terminal/interrupt.js';
import { Interrupted } from '../terminal/interrupted.js';
import { print, printJson, say } from '../terminal/output.js';
import { evaluationProgress } from '../terminal/progress.js';
import { hasColours, widthOf } from '../terminal/terminal.js';
import { warn } from '../terminal/warning.js';

/** What the command takes besides the options of a run, the model's and the engine's. */
interface EvalFlags extends ModelFlags {
  readonly task?: TaskName;
  readonly file?: string;
  readonly data: string;
  readonly demos?: string;
  readonly countsFrom?: 0 | 1;
  readonly limit?: number;
  readonly parallel?: number;
  readonly cpuFallback: 'auto' | 'on' | 'off';
  readonly out?: string;
  readonly prefix?: string;
  readonly resume?: boolean;
  readonly rescore?: string;
  readonly compare?: string;
  readonly endpoint?: string;
  readonly endpointModel?: string;
  readonly apiKeyEnv?: string;
  readonly timeout: number;
  readonly concurrency?: number;
  readonly json?: boolean;
  readonly html?: string;
  readonly calibrate?: string;
  readonly abstainOption?: boolean;
  readonly unanswerable?: number;
  readonly panel?: readonly string[];
}

/** The benchmarks that are found under --data. */
const benchmarks: readonly TaskName[] = taskNames.filter(name => name !== 'file');

export function evaluation(): Command {
  const command = new Command('eval')
    .description('Measures a model on a benchmark or on questions of your own: accuracy, agreement, calibration, cost.')
    .argument('[folder]', 'with --compare: the second folder')
    .addOption(
      flag(
        '--task <name>',
        `benchmark, read from published files under --data: ${benchmarks.join(', ')}`,
        choice(benchmarks),
      ),
    )
    .option('--file <file>', 'questions of your own: one JSON object a line, {"question", "options", "answer"}')
    .option('--data <dir>', 'where the published files are', 'data')
    .addOption(
      flag(
        '--counts-from <n>',
        'where numbers that name right options count from, 0 or 1, for files that do not tell',
        whole(0, 1),
      ),
    )
    .addOption(flag('--limit <n>', 'only the first n questions', whole(1, 1e9)));
  addFlags(command, runOptions);
  command
    .option('--demos <file>', 'draw demonstrations from this file instead')
    .addOption(
      flag(
        '--parallel <n>',
        'questions in flight at once (default: what fills a batch and fits in memory)',
        whole(1, 256),
      ),
    )
    .addOption(
      flag(
        '--cpu-fallback <when>',
        'go on on the CPU when the engine keeps dying on a GPU: auto (where --gpu-layers is auto), on or off',
        choice(['auto', 'on', 'off']),
      ).default('auto'),
    )
    .addOption(
      panelOption(
        'measure several models as one: A.gguf,B.gguf[,C.gguf], as `ask` takes them; each has a folder in --out, and they are asked one after the other',
      ),
    )
    .option('--out <dir>', 'folder for results.jsonl, report.html and report.json')
    .addOption(prefixOption())
    .option('--resume', 'go on with the results in --out')
    .option(
      '--rescore <dir>',
      'read and count stored samples anew, under --protocol, --stop-rule, --samples or --weighting',
    )
    .option('--compare <dir>', 'compare the results of two folders, question by question')
    .option('--endpoint <url>', 'evaluate an OpenAI-compatible server instead, as http://127.0.0.1:8080/v1')
    .option('--endpoint-model <name>', 'the model there (default: its only one)')
    .option('--api-key-env <name>', 'environment variable that holds the key')
    .addOption(flag('--concurrency <n>', 'requests to the endpoint at once (default: 16)', whole(1, 1024)))
    .addOption(flag('--timeout <seconds>', 'of one request to the endpoint', whole(1, 86_400)).default(600))
    .option(
      '--calibrate <file>',
      'write what `meditron ask --calibration` makes sets of answers by, from the votes of sc-cot; also of --rescore',
    )
    .option('--json', 'print the metrics as one JSON object')
    .option('--html <file>', 'write the report there too');
  addModelFlags(command);
  addFlags(command, engineOptions);
  return command.addHelpText('after', help).action(measureOrRead);
}

const help = `
Nothing is downloaded: a task whose files are missing says what to get and where to put it. Rows are appended to
DIR/results.jsonl as they come and survive a crash; the same command with --resume goes on behind them. How questions share
batches changes floating point results, so chains repeat exactly only with --parallel 1. If the process of the engine dies,
the questions it was answering are asked again, fewer at once; one that crashes it twice is given up; the report lists the
deaths. Nothing leaves this machine unless --endpoint is given.

Examples:
  meditron eval --file questions.jsonl --mode top-token,cot,sc-cot --samples 5 --out results/mini
    (questions.jsonl from: npm run questions -- --seed 7 --count 1000 --out questions.jsonl)
  meditron eval --task medqa --data data -m meditron-7b.Q4_K_M.gguf --protocol authors-code --mode top-token \\
    --demo-seed authors --out results/medqa-7b
  meditron eval --rescore results/mini --samples 3 --stop-rule exact
  meditron eval --panel Meditron3-8B.Q4_K_M.gguf,Apertus-8B-MeditronFO.Q4_K_M.gguf --file questions.jsonl --out results/panel
  meditron eval --compare results/mini results/other`;

async function measureOrRead(folder: string | undefined, flags: EvalFlags): Promise<void> {
  using interrupt = interrupts();
  const { signal } = interrupt;
  refuseMixed(folder, flags);
  if (flags.html !== undefined) await tryOutput(flags.html);
  if (flags.calibrate !== undefined) await tryOutput(flags.calibrate);
  if (flags.out !== undefined) await tryFolder(flags.out);
  if (flags.prefix !== undefined) await tryKept(flags.prefix);
  if (flags.compare !== undefined) {
    const [first, second] = [await readEvaluation(flags.compare), await readEvaluation(folder!)];
    await show(await compareEvaluations(first, second, readingOf(flags)), flags);
  } else if (flags.rescore !== undefined) {
    const members = await panelIn(flags.rescore);
    if (members) {
      if (flags.calibrate !== undefined) throw uncalibrated();
      await show(await panelReportOf(flags.rescore, members, readingOf(flags)), flags);
      return;
    }
    const stored = await readEvaluation(flags.rescore);
    if (flags.calibrate !== undefined) calibratedRun(stored.config);
    await show(await reportOf(stored, readingOf(flags)), flags);
    await calibrate(stored, flags);
  } else {
    await run(flags, signal);
  }
}

async function run(flags: EvalFlags, signal: AbortSignal): Promise<void> {
  const { out } = flags;
  if (out === undefined) throw new MeditronError('ERR_OPTION', 'Expected --out DIR: results are kept as they come');
  const questions = await loadQuestions({ ...flags, onWarning: warn });
  if (flags.panel !== undefined) return await runPanel(questions, { ...flags, out, panel: flags.panel }, signal);
  await using target = await targetFor(flags, signal);
  const progress = evaluationProgress(flags.json ?? false);
  let report: EvaluationReport;
  try {
    report = await evaluate(target, {
      ...questions,
      out,
      resume: flags.resume,
      limit: flags.limit,
      prefix: flags.prefix,
      onWarning: warn,
      parallel: flags.parallel,
      ...optionsOf(runOptions, flags),
      signal,
      onPlan: (notes, config) => {
        if (flags.calibrate !== undefined) calibratedRun(config);
        if (!flags.json) for (const note of notes) say(`meditron: ${note}`);
      },
      onProgress: progress.show,
      onIncident: newKinds(),
    });
  } catch (error) {
    progress.stop();
    await showInterrupted(error, out, flags);
    throw error;
  } finally {
    progress.stop();
  }
  await show(report, flags, out);
  await calibrate(await readEvaluation(out), flags);
}

/** Writes the calibration, and says what its sets come to. */
async function calibrate(stored: StoredEvaluation, { calibrate: path, file, json }: EvalFlags): Promise<void> {
  if (path === undefined) return;
  const calibration = await calibrationOf(stored, file === undefined ? stored.config.title : basename(file));
  await writeOutput(path, `${JSON.stringify(calibration, null, 1)}\n`);
  if (!json) print(`\nAnswer sets, for \`meditron ask --calibration ${path}\`\n${calibrationInWords(calibration)}\n`);
}

async function runPanel(questions: Questions, flags: EvalFlags & PanelEvalFlags, signal: AbortSignal): Promise<void> {
  const progress = evaluationProgress(flags.json ?? false);
  let report: EvaluationReport;
  try {
    report = await evaluatePanel(questions, flags, progress, newKinds(), signal);
  } catch (error) {
    if (!(error instanceof Interrupted) || error.exitCode === 0) throw error;
    throw new Interrupted(`${error.message}: the same command with --resume goes on in ${flags.out}`, error.exitCode);
  } finally {
    progress.stop();
  }
  await show(report, flags, flags.out);
}

/** What there is so far, and how to go on. */
async function showInterrupted(error: unknown, out: string, flags: EvalFlags): Promise<void> {
  if (!(error instanceof Interrupted) || error.exitCode === 0) return;
  const stored = await readEvaluation(out).catch(() => undefined);
  if (!stored) return;
  let rows = 0;
  for await (const _ of stored.rows()) rows++;
  if (rows > 0) await show(await reportOf(stored), flags, out, false);
  const message = `${error.message}: ${rows} rows are in ${out}; the same command with --resume goes on behind them`;
  throw new Interrupted(message, error.exitCode);
}

async function show(report: EvaluationReport, flags: EvalFlags, out?: string, complete = true): Promise<void> {
  const json = { ...reportJson(report), complete, ...(out !== undefined && { out }) };
  const pages = [
    ...(out === undefined ? [] : [join(out, 'report.html')]),
    ...(flags.html === undefined ? [] : [flags.html]),
  ];
  if (flags.json) printJson(json);
  else print(terminalReport(report, { width: widthOf(process.stdout), color: hasColours(process.stdout) }));
  for (const page of pages) await writeOutput(page, htmlReport(report));
  if (out !== undefined) await writeOutput(join(out, 'report.json'), `${JSON.stringify(json, null, 2)}\n`);
  if (pages.length > 0 && !flags.json) print(`\nEvery question, chain and verdict: ${pages.join(', ')}\n`);
}

async function targetFor(flags: EvalFlags, signal: AbortSignal): Promise<Target & AsyncDisposable> {
  if (flags.endpoint !== undefined) {
    const { endpoint: url, endpointModel: model, apiKeyEnv } = flags;
    const apiKey = apiKeyEnv === undefined ? undefined : process.env[apiKeyEnv];
    if (apiKeyEnv !== undefined && !apiKey)
      throw optionError('--api-key-env', 'an environment variable that is set', apiKeyEnv);
    // The HTTP client takes longer to load than the rest of the command.
    const { endpointTarget } = await import('../../evaluate/run/endpoint.js');
    const target = await endpointTarget({
      onRetry: newReasons(),
      url,
      model,
      apiKey,
      concurrency: flags.concurrency,
      timeoutMs: flags.timeout * 1000,
      signal,
    });
    return { ...target, [Symbol.asyncDispose]: async () => {} };
  }
  // Who put layers on a GPU by number wants the figures of that, or none.
  const fallsBack =
    flags.cpuFallback === 'on' ||
    (flags.cpuFallback === 'auto' && (optionsOf(loadOptions, flags).gpuLayers ?? 'auto') === 'auto');
  const loaded = await untilLoaded(() => load(flags, signal, { cpuFallback: fallsBack, hash: true }));
  const loadOnCpu = async () => (await load({ ...flags, gpuLayers: 0 }, signal)).model;
  const target = localTarget(loaded.model, optionsOf(engineOptions, flags), fallsBack ? { loadOnCpu } : {});
  return { ...target, [Symbol.asyncDispose]: () => loaded[Symbol.asyncDispose]() };
}

function readingOf(flags: EvalFlags): Reading {
  const { protocol, samples, weighting, stop } = optionsOf(runOptions, flags);
  return { protocol, samples, weighting, stop: stop === undefined ? undefined : { rule: stop } };
}

function uncalibrated(): MeditronError {
  return new MeditronError(
    'ERR_OPTION',
    '--calibrate has no meaning with a panel: calibrate one of its models by itself',
  );
}

/** Three things can be asked of the command; flags of one mean nothing to another and are not ignored. */
function refuseMixed(folder: string | undefined, flags: EvalFlags): void {
  const { rescore, compare, out, task, file, resume, endpoint, prefix, panel } = flags;
  const reads = rescore ?? compare;
  if (compare !== undefined && flags.calibrate !== undefined)
    throw new MeditronError(
      'ERR_OPTION',
      'Expected --compare or --calibrate, got both: a calibration is of one evaluation',
    );
  const { protocol, samples, stopRule, weighting } = flags as Readonly<Record<string, unknown>>;
  if (
    rescore !== undefined &&
    flags.calibrate !== undefined &&
    (protocol ?? samples ?? stopRule ?? weighting) !== undefined
  )
    throw new MeditronError(
      'ERR_OPTION',
      'A calibration is of samples as they were drawn: expected none of --protocol, --samples, --stop-rule and --weighting',
    );
  if (rescore !== undefined && compare !== undefined)
    throw new MeditronError('ERR_OPTION', 'Expected --rescore or --compare, got both');
  if ((compare === undefined) !== (folder === undefined)) {
    const got = compare === undefined ? `a folder without --compare: ${folder}` : 'one';
    throw new MeditronError('ERR_OPTION', `Expected two folders, as in --compare DIR_A DIR_B, got ${got}`);
  }
  if (endpoint !== undefined && prefix !== undefined)
    throw new MeditronError(
      'ERR_OPTION',
      'Expected --endpoint or --prefix, got both: a server keeps its prompts itself',
    );
  if (panel !== undefined && flags.calibrate !== undefined) throw uncalibrated();
  if (panel !== undefined && (endpoint ?? prefix) !== undefined)
    throw new MeditronError(
      'ERR_OPTION',
      `${endpoint === undefined ? '--prefix' : '--endpoint'} has no meaning with --panel`,
    );
  if (reads === undefined) return;
  const given = {
    '--panel': panel,
    ...{ '--out': out, '--task': task, '--file': file, '--resume': resume, '--endpoint': endpoint },
    '--prefix': prefix,
    ...{ '--abstain-option': flags.abstainOption, '--unanswerable': flags.unanswerable },
  };
  const [unfit] = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (unfit)
    throw new MeditronError(
      'ERR_OPTION',
      `${unfit} has no meaning with stored results; --html FILE writes their report`,
    );
}

/** Warns of what differs from all before in more than numbers: an engine may die every second. */
function newKinds(): (message: string) => void {
  const known = new Set<string>();
  return message => {
    const kind = message.replace(/0x[\da-f]+|\d+/gi, '#');
    if (!known.has(kind)) warn(message);
    known.add(kind);
  };
}

/** Warns of a retry whose reason is another than the last one's: many requests may fail at once, and for minutes. */
function newReasons(): (message: string) => void {
  let last: string | undefined;
  return message => {
    const [reason] = message.split('; trying again');
    if (reason !== last) warn(message);
    last = reason;
  };
}
