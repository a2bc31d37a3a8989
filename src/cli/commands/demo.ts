import { basename } from 'node:path';
import { Command } from 'commander';
import wrap from 'wrap-ansi';
import { whole } from '../../check/kinds.js';
import { loadOptions, processOptions } from '../../check/machine.js';
import { shippedModel } from '../../check/project.js';
import { pick } from '../../check/table.js';
import { askedOf, type ClinicalQuestion, letters } from '../../clinical/question.js';
import { clinicalQuestions, scoreNames } from '../../clinical/questions.js';
import { addFlags, type Flags, flag } from '../flags.js';
import { load } from '../load.js';
import { answerScreen } from '../terminal/answer.js';
import { chainsOn } from '../terminal/chains.js';
import { interrupts } from '../terminal/interrupt.js';
import { print } from '../terminal/output.js';
import { widthOf } from '../terminal/terminal.js';
import { askWatched } from '../watched.js';

/** What the model that ships is, and what it is not. */
const about =
  'This model is tiny (6 million weights). It was trained in an hour on invented patients, can add up six clinical scores, and knows nothing else: it shows how asking several times works, and is not a medical device.';

/** A patient whose question the model has not seen, and on which its chains do not all agree. */
const defaultSeed = 12;

interface DemoFlags extends Flags {
  readonly seed: number;
}

export function demo(): Command {
  const command = new Command('demo')
    .description(
      'Asks the model that ships a question five times over and lets its answers vote; what `npm start` runs.',
    )
    .addOption(flag('--seed <n>', 'invents a patient', whole(0, Number.MAX_SAFE_INTEGER)).default(defaultSeed))
    .addHelpText('after', '\nExample:\n  meditron demo --seed 8');
  return addFlags(addFlags(command, pick(loadOptions, ['lowMemory'])), processOptions).action(show);
}

async function show(flags: DemoFlags): Promise<void> {
  using interrupt = interrupts();
  const { signal } = interrupt;
  const { seed } = flags;
  const scores = [scoreNames[seed % scoreNames.length]!];
  const asked = clinicalQuestions({ seed, count: 1, scores }).next().value as ClinicalQuestion;
  await using loaded = await load({ ...flags, model: shippedModel() }, signal);
  paragraphs(
    `Loaded ${basename(shippedModel())} on ${loaded.model.info.devices.map(device => device.name).join(', ')}.`,
    about,
  );
  paragraphs('It is now asked, five times at temperature 0.8, a question that was not in its training:');
  print(indented(asked.question, ...letters.map(letter => `${letter}. ${asked.options[letter]}`)));

  const question = askedOf(asked);
  const watching = { chains: () => chainsOn(process.stdout), signal };
  const { answer } = await loaded.attempt(
    model => askWatched(model, question, { stop: 'none' }, { threads: 1 }, watching),
    signal,
  );
  print(`${answerScreen(question, answer, process.stdout)}\n`);
  if (signal.aborted && answer.votes.notRun > 0) throw signal.reason;
  paragraphs(`By the rules of the score the answer is ${asked.answer}. ${asked.options[asked.answer]}.`);
  print(next);
}

function indented(...lines: readonly string[]): string {
  const wrapped = lines.flatMap(line => wrap(line, widthOf(process.stdout) - 2).split('\n'));
  return `${wrapped.map(line => `  ${line}`).join('\n')}\n\n`;
}

function paragraphs(...texts: readonly string[]): void {
  for (const text of texts) print(`${wrap(text, widthOf(process.stdout))}\n\n`);
}

const next = `What to try next:
  npx meditron demo --seed 8
  npx meditron devices
  npx meditron ask question.txt -m path/to/meditron-7b.Q4_K_M.gguf
`;
