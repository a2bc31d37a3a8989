import { Command } from 'commander';
import { tryKept } from '../../answerer/kept.js';
import { type Calibration, readCalibration } from '../../ask/calibration.js';
import { askOptions } from '../../ask/options.js';
import { printed, withHash } from '../../ask/record/evidence.js';
import type { Evidence } from '../../ask/types.js';
import { MeditronError } from '../../check/errors.js';
import { engineOptions } from '../../check/machine.js';
import { tryOutput, writeOutput } from '../../check/outputs.js';
import type { Model } from '../../engine/model.js';
import { modelHash } from '../../models/identity.js';
import { jsonFault } from '../../prompt/question/json.js';
import { findingInWords } from '../../prompt/question/text/explain.js';
import type { QuestionReading } from '../../prompt/question/text.js';
import { addFlags, addModelFlags, optionsOf, prefixOption } from '../flags.js';
import { hashing } from '../hashing.js';
import { readText } from '../input.js';
import { load, type ModelFlags } from '../load.js';
import { askPanel } from '../panel/ask.js';
import { measuredOption, panelOption } from '../panel/flags.js';
import { notOnCpu, prefixFile } from '../prefix.js';
import { questionFrom, questionHelp } from '../question.js';
import { answerScreen } from '../terminal/answer.js';
import { chainsOn, silentChains } from '../terminal/chains.js';
import { interrupts } from '../terminal/interrupt.js';
import { print, printJson } from '../terminal/output.js';
import { warn } from '../terminal/warning.js';
import { sayTimings, tenth, timingsOption } from '../timings.js';
import { askWatched, type Watching } from '../watched.js';

export interface AskFlags extends ModelFlags {
  readonly record?: string;
  readonly calibration?: string;
  readonly prefix?: string;
  readonly json?: boolean;
  readonly timings?: boolean;
  readonly measureWidth?: boolean;
  readonly panel?: readonly string[];
  readonly measured?: readonly string[];
}

export function ask(): Command {
  const command = new Command('ask')
    .description('Asks a medical question, several times over, and shows how far the answers agree.')
    .argument('[question...]', questionHelp)
    .addHelpText('after', help);
  addFlags(command, askOptions);
  command
    .addOption(
      panelOption(
        'ask several models and count their families: A.gguf,B.gguf[,C.gguf]; FAMILY=FILE names a family, FILE@FORMAT a format',
      ),
    )
    .addOption(measuredOption())
    .option(
      '--record <file>',
      'write the evidence, for `meditron replay`; if it fails, that of the samples that had finished',
    )
    .option(
      '--calibration <file>',
      'show the set of answers that holds the right one as often as --coverage says, by a file that `meditron eval --calibrate` wrote',
    )
    .addOption(prefixOption())
    .option(
      '--measure-width',
      'measure again how many chains at once are fastest with this model here, and keep it; texts of a seed may change slightly',
    )
    .option('--json', 'print one JSON object when all is done')
    .addOption(timingsOption());
  addModelFlags(command);
  addFlags(command, engineOptions);
  return command.action(askQuestion);
}

const help = `
top-token compares the options from one reading of the question; cot is one chain of thought; sc-cot is several, and a vote;
ranked asks for lists of diagnoses and merges them; free shows the text. Text is unverified until the vote closes. Ctrl-C shows
the vote so far and ends with code 130.

With --panel each model answers in its own format, with its own vote. Models of one base are one family and count once; the panel agrees if at
least two families decide, at least half of those heard, and all that decide say the same. An open question is asked for lists, which are
merged over families. A model that cannot be loaded is left out and named. See docs/second-opinion.md.

Examples:
  meditron ask -m meditron-7b.Q4_K_M.gguf question.json --record record.json
  meditron ask -m meditron-7b.Q4_K_M.gguf --mode ranked "A 54-year-old man has had chest pain and fever for two days."
  meditron ask --panel Meditron3-8B.Q4_K_M.gguf,Apertus-8B-MeditronFO.Q4_K_M.gguf question.json --measured results/medqa
  printf 'Which vitamin prevents scurvy?\\nA. Vitamin A\\nB. Vitamin C\\n' | meditron ask -m model.gguf --format raw --json`;

async function askQuestion(words: readonly string[], flags: AskFlags, command: Command): Promise<void> {
  using interrupt = interrupts();
  const { signal } = interrupt;
  refuseMixed(flags, command);
  const reading = await questionFrom(words, signal);
  if (!flags.json) for (const finding of reading.findings) warn(findingInWords(finding));
  if (flags.panel !== undefined) return await askPanel(reading, { ...flags, panel: flags.panel }, signal);
  const chains = () => (flags.json ? silentChains : chainsOn(process.stdout));
  await askReading(reading, flags, { chains, signal });
}

/** Flags of one model mean nothing to several, and the other way round: neither is ignored. */
function refuseMixed(flags: AskFlags, command: Command): void {
  if (flags.panel === undefined) {
    if (flags.measured !== undefined)
      throw new MeditronError('ERR_OPTION', '--measured has a meaning with --panel only');
    return;
  }
  const given = {
    '--model': command.getOptionValueSource('model') === 'default' ? undefined : flags.model,
    '--calibration': flags.calibration,
    ...{ '--prefix': flags.prefix, '--measure-width': flags.measureWidth, '--timings': flags.timings },
  };
  const unfit = Object.entries(given).find(([, value]) => value !== undefined);
  if (unfit)
    throw new MeditronError('ERR_OPTION', `${unfit[0]} has no meaning with --panel, which names its models itself`);
}

/** Asks a question that has been read, and shows the answer. */
export async function askReading(reading: QuestionReading, flags: AskFlags, watching: Watching): Promise<void> {
  const { signal } = watching;
  const { question } = reading;
  refuseBoth(flags);
  if (flags.record !== undefined) await tryOutput(flags.record);
  if (flags.prefix !== undefined) await tryKept(flags.prefix);
  const calibration = flags.calibration === undefined ? undefined : await calibrationIn(flags.calibration, signal);
  const hash = flags.json === true || flags.record !== undefined;
  await using loaded = await load(flags, signal, { hash });
  // Read beside the chains, and waited for only once the answer has been shown.
  const files = flags.record === undefined ? null : modelHash(loaded.model.info, signal).catch(() => null);
  const options = { ...optionsOf(askOptions, flags), ...(calibration && { calibration }), hash: flags.json === true };
  const prefix = () => prefixFile(flags, loaded);
  const width = flags.measureWidth ? 'again' : 'measured';
  const write = async (record: string, evidence: Evidence) => {
    const hashed = withHash(
      evidence,
      files && (await hashing('Reading the model file for the record', loaded.model.info, files)),
    );
    await writeOutput(record, `${JSON.stringify(hashed, null, 1)}\n`);
  };
  let part: Evidence | undefined;
  const attempt = (model: Model) => {
    part = undefined;
    const unfinished = (evidence: Evidence) => {
      part = evidence;
    };
    const watched = { ...watching, prefix: prefix(), unfinished, width } as const;
    return askWatched(model, question, options, optionsOf(engineOptions, flags), watched);
  };
  const asked = await loaded.attempt(attempt, signal).catch(async error => {
    if (flags.record !== undefined && part) {
      await write(flags.record, part);
      warn(`What had finished (samples: ${part.samples.length}) is in ${flags.record}: part of a vote, and no result`);
    }
    throw error;
  });
  const { answer, contextMs, timings: asking } = asked;
  const timings = { loadMs: tenth(loaded.loadMs + contextMs), ...asking };
  const warnings = [...(flags.prefix !== undefined && !prefix() ? [notOnCpu] : []), ...answer.warnings];
  if (flags.json) {
    const told = { warnings: [...loaded.warnings, ...warnings], reading };
    printJson({ ...printed(answer), ...told, ...(flags.timings && { timings }) });
  } else {
    for (const warning of warnings) warn(warning);
    print(answerScreen(question, answer, process.stdout));
    if (flags.timings) sayTimings(timings);
  }
  if (flags.record !== undefined) await write(flags.record, answer.evidence);
  if (signal.aborted && answer.votes.notRun > 0) throw signal.reason;
}

/** @throws MeditronError `ERR_INPUT` with the file, if it is none */
async function calibrationIn(path: string, signal: AbortSignal): Promise<Calibration> {
  const content = await readText(path, signal);
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw new MeditronError('ERR_INPUT', `${path} is not a calibration: ${jsonFault(content, error)}`);
  }
  try {
    return readCalibration(value);
  } catch (error) {
    if (!(error instanceof MeditronError)) throw error;
    throw new MeditronError(error.code, `${path}: ${error.message}`, { cause: error });
  }
}

function refuseBoth({ record, prefix }: AskFlags): void {
  if (record === undefined || prefix === undefined) return;
  throw new MeditronError(
    'ERR_OPTION',
    'Expected --record or --prefix, got both: a replay evaluates all of a prompt at once, and would not give the same last digits',
  );
}
