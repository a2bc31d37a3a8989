import { Command } from 'commander';
import wrap from 'wrap-ansi';
import { stateFolder } from '../../check/state.js';
import { stickFolder } from '../../check/stick.js';
import { verifyFolder } from '../../check/sums.js';
import { type ClinicalQuestion, letters } from '../../clinical/question.js';
import { clinicalQuestions } from '../../clinical/questions.js';
import { scopeOf } from '../../clinical/scope.js';
import { letter } from '../../prompt/question/question.js';
import { findingInWords } from '../../prompt/question/text/explain.js';
import { type QuestionReading, readQuestionText } from '../../prompt/question/text.js';
import { droppedFile } from '../dropped.js';
import type { Flags } from '../flags.js';
import { readText } from '../input.js';
import { computerInWords } from '../menu/computer.js';
import { explained } from '../menu/explained.js';
import { type ModelChoice, modelChoice, modelChoices } from '../menu/models.js';
import { about, howToAsk, howToChat, keep, title } from '../menu/words.js';
import { type Asker, asker } from '../terminal/asked.js';
import { Line, Passage } from '../terminal/entries.js';
import { report } from '../terminal/exit.js';
import { interrupts } from '../terminal/interrupt.js';
import { Interrupted } from '../terminal/interrupted.js';
import { outputLost, print } from '../terminal/output.js';
import { oneLine, plain } from '../terminal/plain.js';
import { widthOf } from '../terminal/terminal.js';
import { chainsTold } from '../terminal/told.js';
import { type AskFlags, ask, askReading } from './ask.js';
import { type ChatFlags, chat, converse } from './chat.js';
import { verificationInWords } from './verify.js';

export function menu(): Command {
  return new Command('menu')
    .description(
      'A menu in plain words, for whoever does not type commands: what the start file of a folder on a stick opens.',
    )
    .addHelpText('after', '\nExample:\n  meditron menu')
    .action(show);
}

/** What the menu knows from one choice to the next. */
interface Session {
  readonly asker: Asker;
  /** The folder on a stick that all this is in. */
  readonly stick: string | undefined;
  model: ModelChoice;
  /** How many examples have been asked: each is another patient. */
  examples: number;
}

type Action = (session: Session, signal: AbortSignal) => Promise<void>;

const items: readonly (readonly [title: string, action: Action])[] = [
  ['Ask a question', (session, signal) => askTyped(session, signal)],
  ['Ask an example: an invented patient', askExample],
  ['Chat', talk],
  ['Choose another model', choose],
  ['What this computer can do', async (_, signal) => print(wrapped(await computerInWords(signal)))],
  ['About Meditron: what it is, and what it is not', async () => print(about() + kept())],
  ['Check that all files are there and unchanged', check],
];

/** Stands first, under a letter of its own. */
const page = { title: 'Open the page in the browser: ask and chat there', action: openPage };

async function show(): Promise<void> {
  const stick = stickFolder();
  const choices = await modelChoices(stick);
  const model = choices.find(({ problem }) => problem === undefined) ?? choices.at(-1)!;
  const interactive = Boolean(process.stdin.isTTY && process.stdout.isTTY);
  const session: Session = { asker: asker(interactive), stick, model, examples: 0 };
  print(`${title()}\n`);
  for (let leaving = false; !outputLost.aborted; ) {
    print(list(session));
    const chosen = await session.asker.ask(new Line('Type a number and press Enter: '));
    if (chosen === 'ended' || (chosen === 'interrupted' && leaving)) return print('\n');
    leaving = chosen === 'interrupted';
    if (chosen === 'interrupted') {
      print('\nTo leave, type 0 and press Enter.\n\n');
      continue;
    }
    const typed = chosen.text.trim();
    if (/^(0|q|quit|exit|leave)$/i.test(typed)) return;
    const action = actionFor(typed);
    print('\n');
    if (action) await attempt(action, session);
    else print('There is no such number.\n');
    print('\n');
  }
}

function list({ model }: Session): string {
  const numbered = items.map(([title], i) => `  ${i + 1}  ${title}`);
  return [wrapped(`Model: ${model.title}`), '', `  p  ${page.title}`, ...numbered, '  0  Leave', '', ''].join('\n');
}

/** A number or a letter chooses; a longer text is a question that was pasted here. */
function actionFor(typed: string): Action | undefined {
  if (/^p$/i.test(typed)) return page.action;
  if (/^\d+$/.test(typed)) return items[Number(typed) - 1]?.[1];
  if (/\s/.test(typed) || droppedFile(typed) !== undefined) return (session, signal) => askText(typed, session, signal);
  return undefined;
}

/** Whatever happens, the menu comes back; SIGTERM, and an output that is gone, end it. */
async function attempt(action: Action, session: Session): Promise<void> {
  using interrupt = interrupts();
  try {
    await action(session, interrupt.signal);
  } catch (error) {
    if (error instanceof Interrupted && error.exitCode !== 130) throw error;
    if (error instanceof Interrupted) print('\nStopped.\n');
    else {
      const words = explained(error);
      if (words === undefined) report(error, false);
      else print(`${wrapped(words)}\n`);
    }
  } finally {
    process.exitCode = 0; // what failed has been told
  }
}

async function askTyped(session: Session, signal: AbortSignal): Promise<void> {
  print(`${howToAsk}\n`);
  const given = await session.asker.ask(new Passage(line => droppedFile(line) !== undefined));
  if (typeof given === 'string' || given.text.trim() === '') return;
  await askText(given.text, session, signal);
}

async function askText(given: string, session: Session, signal: AbortSignal): Promise<void> {
  const file = droppedFile(given);
  await askRead(readQuestionText(file === undefined ? given : await readText(file, signal)), session, signal);
}

/** Shows what was read before anything is asked: nobody is answered about what they have not seen. False: it was not asked. */
async function askRead(reading: QuestionReading, session: Session, signal: AbortSignal): Promise<boolean> {
  const { model } = session;
  print(`\n${readBack(reading)}`);
  for (const finding of reading.findings) print(`${wrapped(`Note: ${findingInWords(finding)}.`)}\n`);
  const scope = scopeOf([model.path], reading.question);
  if (scope && !scope.inside) print(`${wrapped(`Note: ${scope.warning}.`)}\n`);
  print('\n');
  const sure = await session.asker.ask(new Line('Press Enter to ask, or type n and press Enter to go back: '));
  if (typeof sure === 'string' || sure.text.trim() !== '') return false;
  print('\nThinking. Ctrl-C stops it and shows what there is.\n');
  const flags = flagsOf<AskFlags>(ask(), model);
  await askReading(reading, flags, { chains: () => chainsTold(print), signal });
  await pause(session);
  return true;
}

function readBack({ question }: QuestionReading): string {
  if (question.kind === 'choice') {
    const options = question.options.map((option, i) => `  ${letter(i)}  ${oneLine(option)}\n`);
    return `${wrapped(plain(question.question))}\n\nI read a question with ${options.length} options:\n${options.join('')}`;
  }
  const asked = question.kind === 'chat' ? question.messages.at(-1)!.content : question.question;
  const kind =
    question.kind === 'boolean'
      ? 'I read a question to be answered with yes, no or maybe.'
      : 'I read an open question, without options.';
  return `${wrapped(plain(asked))}\n\n${kind}\n`;
}

async function askExample(session: Session, signal: AbortSignal): Promise<void> {
  session.examples++;
  const made = [...clinicalQuestions({ seed: 12, count: session.examples })].at(-1) as ClinicalQuestion;
  const { question, options, answer } = made;
  const text = [question, ...letters.map(label => `${label}. ${options[label]}`)].join('\n');
  if (!(await askRead(readQuestionText(text), session, signal))) return;
  print(`By the rules of the score the answer is ${answer}. ${options[answer]}.\n`);
}

/** With the chosen model first, and all others that can be used. */
async function openPage({ asker, stick, model }: Session): Promise<void> {
  const others = (await modelChoices(stick)).filter(
    ({ path, problem }) => path !== model.path && problem === undefined,
  );
  const { showPage } = await import('../menu/page.js'); // nothing else here may load what speaks to a network
  await showPage(
    [model, ...others].map(({ path }) => path),
    asker,
  );
}

async function talk({ model }: Session): Promise<void> {
  print(`${howToChat}\n`);
  await converse(flagsOf<ChatFlags>(chat(), model));
}

async function choose(session: Session): Promise<void> {
  const choices = await modelChoices(session.stick);
  for (const [i, { title, problem }] of choices.entries()) {
    print(`  ${i + 1}  ${title}\n`);
    if (problem !== undefined) print(`${wrapped(`It cannot be used: ${oneLine(problem)}`)}\n`);
  }
  const where = session.stick === undefined ? '' : ' To have it in this list, copy it into the folder named models.';
  print(`\n${wrapped(`A model is a file whose name ends in .gguf.${where} Or drag one into this window.`)}\n`);
  const given = await session.asker.ask(new Line('Type a number and press Enter, or Enter alone to go back: '));
  if (typeof given === 'string' || given.text.trim() === '') return;
  const dropped = droppedFile(given.text);
  const chosen = dropped === undefined ? choices[Number(given.text) - 1] : await modelChoice(dropped);
  if (chosen === undefined) print('There is no such number.\n');
  else if (chosen.problem === undefined) session.model = chosen;
  else print(`${wrapped(`This model cannot be used: ${oneLine(chosen.problem)}`)}\n`);
}

async function check({ stick }: Session, signal: AbortSignal): Promise<void> {
  if (stick === undefined)
    return print('Meditron is installed here, and not started from a folder on a stick:\nthere is nothing to check.\n');
  print('Every file is read. With a large model this takes minutes. Ctrl-C stops it.\n');
  let told = 0;
  const found = await verifyFolder(stick, {
    signal,
    onProgress(read, total) {
      const tenth = Math.floor((read / total) * 10);
      if (tenth > told && tenth < 10) print(`${tenth * 10} of 100\n`);
      told = Math.max(told, tenth);
    },
  });
  print(verificationInWords(found));
}

/** The answer stays in view until the person has read it. */
async function pause({ asker }: Session): Promise<void> {
  print('\n');
  await asker.ask(new Line('Press Enter to go on: '));
}

function kept(): string {
  const folder = stateFolder();
  return folder === undefined ? keep.none : keep.in(folder);
}

/** A command's flags as if nothing but the model had been typed. */
function flagsOf<T extends Flags>(command: Command, { path }: ModelChoice): T {
  command.parseOptions(['--model', path]);
  return command.opts<T>();
}

function wrapped(text: string): string {
  return wrap(text, Math.min(widthOf(process.stdout), 80));
}
