import { bosOf, promptFor, vocabularyWarnings } from '../../ask/prompts.js';
import { inBytes, inTokensPerSecond } from '../../check/words.js';
import { askedOf } from '../../clinical/question.js';
import { clinicalQuestions } from '../../clinical/questions.js';
import { readingSpeed } from '../../engine/capacity/recommend.js';
import type { Engine } from '../../engine/engine.js';
import type { BosRule } from '../../engine/jobs/options.js';
import type { Score } from '../../engine/jobs/scoring.js';
import type { Model } from '../../engine/model.js';
import type { Header, Recognised } from '../../models/header.js';
import { isDemonstration } from '../../models/known.js';
import { readTemplate } from '../../models/template.js';
import type { FormatName, Mode, PromptFormat } from '../../prompt/format/format.js';
import { specialShape } from '../../prompt/hygiene/special.js';
import type { Prompt } from '../../prompt/prompt.js';
import type { Question } from '../../prompt/question/question.js';
import { Stopwatch } from '../timings.js';
import { contextInWords, trainedInWords } from './facts.js';

/** One line of `meditron check`. */
export interface Check {
  readonly name: 'file' | 'model' | 'template' | 'tokens' | 'shared' | 'answer' | 'speed';
  /** `warn`: it can be used, and something has to be known. */
  readonly state: 'pass' | 'warn' | 'fail';
  /** What was found. */
  readonly message: string;
  /** What to do; null where there is nothing to do. */
  readonly advice: string | null;
}

/** What a check is made with. */
export interface Subject {
  readonly model: Model;
  readonly engine: Engine;
  readonly format: PromptFormat;
  readonly choice: Recognised['choice'];
  readonly signal: AbortSignal;
}

const pass = (name: Check['name'], message: string): Check => ({ name, state: 'pass', message, advice: null });

export function fileCheck(header: Header): Check {
  const { files, sizeBytes, architecture, quantization } = header;
  const [problem] = header.problems;
  if (problem) {
    return {
      name: 'file',
      state: 'fail',
      message: problem.message,
      advice: 'Fetch or convert it again; `meditron inspect` shows all of it',
    };
  }
  const parts = files.length > 1 ? ` in ${files.length} parts` : '';
  return pass(
    'file',
    `${architecture}, ${quantization.name}, ${inBytes(sizeBytes)}${parts}, context of ${contextInWords(header)}: every tensor and number is as this engine needs it`,
  );
}

export function modelCheck(
  { contextLength }: Header,
  { choice, refusal }: Recognised,
  given: FormatName | undefined,
): Check {
  const name = 'model';
  if (choice === undefined) {
    if (given !== undefined) {
      return { name, state: 'warn', message: `${refusal}. The format that you chose, ${given}, is used`, advice: null };
    }
    return {
      name,
      state: 'fail',
      message: refusal,
      advice: 'If you know how it was trained to be asked, give --format',
    };
  }
  const trained = choice.facts?.trainedContext;
  const context = trained ? `. It was trained on ${trainedInWords(trained, contextLength)}` : '';
  const message = `${choice.model}, asked as ${choice.format}. ${choice.reasons.join('. ')}${context}`;
  const other = given !== undefined && given !== choice.format;
  if (other)
    return { name, state: 'warn', message: `${message}. You chose ${given}`, advice: `Leave out --format ${given}` };
  if (choice.by === 'hash' || choice.facts === null || choice.reasons.length > 1) return pass(name, message);
  return {
    name,
    state: 'warn',
    message,
    advice: 'Compare its SHA-256 with its publisher’s: `meditron models add` shows it',
  };
}

export function templateCheck(
  { chatTemplate, specialTokens }: Header,
  { choice }: Recognised,
  format: FormatName,
): Check {
  const name = 'template';
  if (chatTemplate === null) return pass(name, `The file has none; ${format} is a format of this program`);
  const { same, published, problem } = readTemplate(chatTemplate, {
    bos: specialTokens.bos?.text ?? undefined,
    eos: specialTokens.eos?.text ?? undefined,
  });
  const whose = published === null ? '' : `; it is that of ${published}, byte for byte`;
  if (problem !== null) return { name, state: format === 'jinja' ? 'fail' : 'warn', message: problem, advice: null };
  if (same.includes(format)) return pass(name, `It writes what the format ${format} does${whose}`);
  if (format === 'jinja')
    return pass(name, `It is used as it is${same.length > 0 ? `, and writes what ${same[0]} does` : ''}`);
  const [warning] = choice?.warnings.filter(text => /template/.test(text)) ?? [];
  if (warning === undefined && choice?.format === format) {
    const reason = choice.reasons.find(text => /template/.test(text));
    if (reason !== undefined) return pass(name, reason);
  }
  return {
    name,
    state: 'warn',
    message:
      warning ??
      `It does not write what the format ${format} does${same.length > 0 ? `, but what ${same[0]} does` : ''}`,
    advice: 'Compare answers with --format jinja, and the file’s SHA-256 with its publisher’s',
  };
}

/** Markers are tokens, and an answer can end. */
export async function tokensCheck(subject: Subject): Promise<Check> {
  const built = promptOf(subject, choiceQuestion, 'top-token');
  const warnings = await vocabularyWarnings(subject.model, built);
  const ends = await endsOf(subject.model, built);
  if (warnings.length > 0) {
    const state = warnings.some(text => /may run on$/.test(text)) && warnings.length === 1 ? 'warn' : 'fail';
    return {
      name: 'tokens',
      state,
      message: warnings.join('. '),
      advice: 'The file was made for another format, or converted wrongly: convert it again (docs/models.md)',
    };
  }
  const marks = new Set(
    built.segments.filter(({ template }) => template).flatMap(({ text }) => text.match(specialShape) ?? []),
  );
  const made = marks.size === 0 ? 'The format is plain text' : `${[...marks].join(', ')} are tokens`;
  return pass(
    'tokens',
    `${made}; an answer ends at ${ends.length > 0 ? ends.join(', ') : built.stops.texts.map(text => JSON.stringify(text)).join(', ')}`,
  );
}

async function endsOf(model: Model, { stops }: Prompt): Promise<string[]> {
  const ids = await Promise.all(
    stops.tokens.map(async text => ((await model.special(text)) === undefined ? [] : [text])),
  );
  return ids.flat();
}

const choiceQuestion = {
  kind: 'choice',
  question: 'A lack of which vitamin causes scurvy?',
  options: ['Vitamin A', 'Vitamin B12', 'Vitamin C', 'Vitamin K'],
} satisfies Question;

/** What is asked of a model: the demonstration is asked what it knows. */
function questionsFor({ model: { info } }: Subject): { readonly compared: Question; readonly answered: Asking } {
  if (isDemonstration([info.name, info.path])) {
    const compared = askedOf([...clinicalQuestions({ seed: 12, count: 1 })][0]!);
    return { compared, answered: { question: compared, mode: 'cot', maxTokens: 200 } };
  }
  const question = 'Name the most common cause of iron deficiency in adults.';
  return {
    compared: choiceQuestion,
    answered: { question: { kind: 'open', question }, mode: 'free', maxTokens: 48 },
  };
}

interface Asking {
  readonly question: Question & { readonly question: string };
  readonly mode: Mode;
  readonly maxTokens: number;
}

function promptOf({ format, choice }: Subject, question: Question, mode: Mode): Prompt {
  return promptFor(format, question, { mode, protocol: 'strict', prompt: {} }, null, choice);
}

/** Logarithms of probabilities that differ by less are the same but for the order in which numbers were added. */
const sameLogprob = 0.25;

/** What samples share is evaluated once: each has to find what it would have found alone. */
export async function sharedCheck(subject: Subject): Promise<Check> {
  const { engine, model, signal } = subject;
  const name = 'shared';
  const prompt = promptOf(subject, questionsFor(subject).compared, 'top-token');
  const bos: BosRule = bosOf('auto', prompt, model);
  const ids = await model.tokenize(prompt.segments, { bos, signal });
  const continuations = await Promise.all(prompt.continuations.map(text => model.continuation(ids, text)));
  const alone: Score[] = [];
  for (const each of continuations)
    alone.push(...(await engine.score({ prompt: ids, bos: 'never', continuations: [each], signal })));
  const middle = Math.floor(ids.length / 2);
  const held = await engine.prefix(ids.subarray(0, middle), { bos: 'never', signal });
  try {
    const together = await engine.score({ prompt: ids.subarray(middle), from: held, continuations, signal });
    const apart = together.map(({ logprob }, i) => Math.abs(logprob - alone[i]!.logprob));
    const most = apart.reduce((a, b) => Math.max(a, b), 0);
    if (most <= sameLogprob) {
      return pass(
        name,
        `${continuations.length} answers compared behind a shared prompt and each alone: log-probabilities differ by ${most.toFixed(4)} at most`,
      );
    }
    const message = `Answers behind a shared prompt differ from those alone by ${most.toFixed(2)} in log-probability: votes over samples would not be the model’s`;
    return { name, state: 'fail', message, advice: 'Try --gpu-layers 0; if it stays, report it with the file’s name' };
  } finally {
    held.release();
  }
}

/** One greedy answer, and how fast it came. */
export async function answerChecks(subject: Subject): Promise<readonly [Check, Check, string]> {
  const { engine, model, signal } = subject;
  const { question, mode, maxTokens } = questionsFor(subject).answered;
  const prompt = promptOf(subject, question, mode);
  const ends = await Promise.all(prompt.stops.tokens.map(text => model.special(text)));
  const watch = new Stopwatch(engine);
  const events = engine.generate({
    prompt: prompt.segments,
    bos: bosOf('auto', prompt, model),
    samplers: [{ temperature: 0 }],
    maxTokens,
    stop: prompt.stops.texts,
    stopTokens: ends.filter(id => id !== undefined),
    signal,
  });
  let text = '';
  let tokens: readonly number[] = [];
  for await (const event of watch.watch(events, 1)) {
    if (event.type !== 'end') continue;
    text = event.text;
    tokens = Array.from(event.tokens);
  }
  return [answered(question.question, text, tokens), speed(watch.timings()), text];
}

function answered(question: string, text: string, tokens: readonly number[]): Check {
  const name = 'answer';
  const marks = text.match(specialShape);
  const wrong = [
    ...(text.trim() === '' ? ['it is empty'] : []),
    ...(text.includes('\uFFFD') ? ['it has damaged characters'] : []),
    ...(marks ? [`it writes ${marks[0]} as text`] : []),
    ...(tokens.length >= 16 && new Set(tokens).size <= 2 ? ['it repeats one token'] : []),
  ];
  const shown = JSON.stringify(text.trim());
  if (wrong.length === 0)
    return pass(name, `${JSON.stringify(question)}: ${shown}. Whether it is right is for you to say`);
  return {
    name,
    state: 'fail',
    message: `${shown}: ${wrong.join(', ')}`,
    advice: 'The format or the weights are not this model’s: see the lines above',
  };
}

function speed({ promptTokensPerSecond, tokensPerSecond }: ReturnType<Stopwatch['timings']>): Check {
  const name = 'speed';
  const rate = (value: number | null) => (value === null ? 'not measured' : inTokensPerSecond(value));
  const message = `A prompt is read at ${rate(promptTokensPerSecond)}, one sample written at ${rate(tokensPerSecond)}`;
  if (tokensPerSecond === null || tokensPerSecond >= readingSpeed) return pass(name, message);
  return {
    name,
    state: 'warn',
    message: `${message}, slower than a person reads (${readingSpeed})`,
    advice: '`meditron fit` says which quantization suits this machine',
  };
}
