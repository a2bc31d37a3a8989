/**
 * Writes the training and validation sets of the clinical-score model as token ids, exactly as the engine will see them:
 *
 *     npx tsx training/export-dataset.ts --out build/mini/data
 *
 * `*.ids.bin` holds all sequences as uint16, `*.index.bin` five uint32 for each: start, tokens of prompt, tokens in all,
 * kind (see {@link kinds}), number of the question. A tree asks one question for the letter alone with several sets of
 * options: what all of them begin with is its prompt, and `*.branches.bin` holds the lengths of the rest, `branches`
 * uint32 a tree.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import llamaTokenizer from 'llama-tokenizer-js';
import { askedOf, type ClinicalQuestion, choicesFor, letters, type Split } from '../src/clinical/question.js';
import { clinicalQuestions, scores } from '../src/clinical/questions.js';
import { chatml } from '../src/prompt/format/chatml.js';
import type { PromptInput } from '../src/prompt/format/format.js';
import { buildPrompt } from '../src/prompt/prompt.js';
import { Random } from '../src/random/xoshiro.js';
import type { Segment } from '../src/types.js';

const special: Readonly<Record<string, number>> = { '<|im_start|>': 32017, '<|im_end|>': 32018 };
const vocabulary = 32019;

/** What a sequence is: a direct answer (the letter alone), a chain of thought, or a tree of direct answers. */
const kinds = { direct: 0, chain: 1, tree: 2 } as const;

/** Sets of options of a tree, and how many of them are easy: three wrong totals far from a right one that is small. */
const branches = 6;
const easyBranches = 2;

type Mode = 'cot' | 'top-token';
type Wording = Pick<PromptInput, 'protocol' | 'task'>;

/** How most questions are asked, and two other ways that some must be, lest the model know only one. */
const usual: Wording = { protocol: 'strict', task: 'mcq' };
const others: readonly Wording[] = [
  { protocol: 'authors-code', task: 'mcq' },
  { protocol: 'strict', task: 'medmcqa' },
];

function main(): void {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: 'build/mini/data' },
      seed: { type: 'string', default: '1' },
      count: { type: 'string', default: '40000' },
      'valid-seed': { type: 'string', default: '2' },
      'valid-count': { type: 'string', default: '600' },
    },
  });
  mkdirSync(values.out, { recursive: true });
  const seeds = { train: Number(values.seed), 'held-out': Number(values['valid-seed']) };
  const train = trainingSequences(seeds.train, Number(values.count));
  const heldOut = heldOutSequences(seeds['held-out'], Number(values['valid-count']));
  const pieces = new Set([...train.write(values.out, 'train'), ...heldOut.write(values.out, 'held-out')]);
  const about = {
    seeds,
    vocabulary,
    pieces: [...pieces].sort((a, b) => a - b),
    branches,
    letters: letters.map(letter => encode(`answer\n${letter}`).at(-1)),
    spacedLetters: letters.map(letter => encode(`The answer is: ${letter}`).at(-1)),
    hashes: encode('The answer is: A ###').at(-1),
    end: special['<|im_end|>'],
  };
  writeFileSync(join(values.out, 'dataset.json'), `${JSON.stringify(about)}\n`);
}

/** Every question as a chain and as a tree. */
function trainingSequences(seed: number, count: number): Sequences {
  const sequences = new Sequences();
  const random = new Random(seed);
  let i = 0;
  for (const question of clinicalQuestions({ seed, count, split: 'train' })) {
    const wording = wordingOf(i++);
    sequences.add(kinds.chain, sequenceOf(question, 'cot', wording));
    sequences.addTree(optionSets(question, random).map(set => sequenceOf(set, 'top-token', wording).all));
    sequences.next(question);
  }
  return sequences;
}

/** Every question as a chain and as a direct answer. */
function heldOutSequences(seed: number, count: number): Sequences {
  const sequences = new Sequences();
  for (const question of clinicalQuestions({ seed, count, split: 'held-out' })) {
    sequences.add(kinds.chain, sequenceOf(question, 'cot', usual));
    sequences.add(kinds.direct, sequenceOf(question, 'top-token', usual));
    sequences.next(question);
  }
  return sequences;
}

/** The same question with other options, the easy ones first. */
function optionSets(question: ClinicalQuestion, random: Random): ClinicalQuestion[] {
  const gold = Number(question.options[question.answer]);
  return Array.from({ length: branches }, (_, i) => {
    const easy = i < easyBranches && gold <= 5;
    const choices = easy
      ? random.shuffled([gold, ...random.shuffled([6, 7, 8, 9]).slice(0, 3)])
      : choicesFor(gold, scores[question.score].range, random);
    const options = Object.fromEntries(letters.map((letter, at) => [letter, `${choices[at]}`]));
    return { ...question, options, answer: letters[choices.indexOf(gold)]! } as ClinicalQuestion;
  });
}

/** Token sequences and what is known of them, to be written as one split. */
class Sequences {
  readonly #ids: number[] = [];
  readonly #index: number[] = [];
  readonly #branches: number[] = [];
  readonly #questions: object[] = [];

  add(kind: number, { prompt, all }: { readonly prompt: number; readonly all: readonly number[] }): void {
    this.#index.push(this.#ids.length, prompt, all.length, kind, this.#questions.length);
    for (const id of all) this.#ids.push(id);
  }

  /** Sequences that begin alike, that beginning once. */
  addTree(all: readonly (readonly number[])[]): void {
    const shared = all[0]!.findIndex((id, i) => all.some(other => other[i] !== id));
    if (shared < 0) throw new Error('All sets of options of a question are the same');
    const rest = all.map(ids => ids.slice(shared));
    this.add(kinds.tree, { prompt: shared, all: [...all[0]!.slice(0, shared), ...rest.flat()] });
    this.#branches.push(...rest.map(ids => ids.length));
  }

  /** Says which question the sequences since the last call were about. */
  next({ id, score, answer }: ClinicalQuestion): void {
    this.#questions.push({ id, score, answer: letters.indexOf(answer) });
  }

  /** Writes the files of a split and gives the tokens that occur in it. */
  write(out: string, split: Split): readonly number[] {
    writeFileSync(join(out, `${split}.ids.bin`), Uint16Array.from(this.#ids));
    writeFileSync(join(out, `${split}.index.bin`), Uint32Array.from(this.#index));
    writeFileSync(join(out, `${split}.branches.bin`), Uint32Array.from(this.#branches));
    writeFileSync(join(out, `${split}.json`), `${JSON.stringify(this.#questions)}\n`);
    return [...new Set(this.#ids)];
  }
}

/** Two in 25 questions are asked under another protocol, two under another instruction. */
function wordingOf(i: number): Wording {
  return i % 25 < 2 ? others[0]! : i % 25 < 4 ? others[1]! : usual;
}

/** The prompt and the answer the model should give, up to and including the end of its turn. */
function sequenceOf(question: ClinicalQuestion, mode: Mode, wording: Wording): { prompt: number; all: number[] } {
  const { segments } = buildPrompt(chatml, {
    question: askedOf(question),
    mode,
    ...wording,
  });
  const gold = mode === 'cot' ? `${question.explanation}.\nThe answer is: ${question.answer} ###` : question.answer;
  const all = idsOf([...segments, { text: `${gold}<|im_end|>`, template: true }]);
  const prompt = idsOf(segments);
  if (prompt.some((id, i) => all[i] !== id))
    throw new Error(`The prompt of ${question.id} is not how its answer begins`);
  return { prompt: prompt.length, all };
}

/** Special tokens by id, and every longest run of plain text between them on its own, as the engine does it. */
function idsOf(segments: readonly Segment[]): number[] {
  const ids: number[] = [];
  let run = '';
  const flush = () => {
    if (run !== '') ids.push(...encode(run));
    run = '';
  };
  for (const { text, template } of segments) {
    for (const part of template ? text.split(/(<\|im_(?:start|end)\|>)/) : [text]) {
      const id = template ? special[part] : undefined;
      if (id === undefined) {
        run += part;
      } else {
        flush();
        ids.push(id);
      }
    }
  }
  flush();
  return ids;
}

/** Runs recur (the start of every answer, the same prompt in two modes), so the last few are kept. */
const recent = new Map<string, number[]>();

function encode(text: string): number[] {
  const known = recent.get(text);
  if (known) return known;
  const ids = llamaTokenizer.encode(text, false, true);
  if (recent.size >= 8) recent.delete(recent.keys().next().value!);
  recent.set(text, ids);
  return ids;
}

main();
