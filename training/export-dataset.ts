/**
 * Writes the training and validation sets of the clinical-score model as token ids, exactly as the engine will see them:
 *
 *     npx tsx training/export-dataset.ts --out build/mini/data
 *
 * `*.ids.bin` holds all sequences as uint16, `*.index.bin` seven uint32 for each: start, tokens of prompt, tokens in all,
 * kind (see {@link kinds}), number of the question, number of the layout (see layouts.ts), tokens of the answer. A tree asks one
 * question for the letter alone with several sets of options: what all of them begin with is its prompt, and
 * `*.branches.bin` holds the lengths of the rest, `branches` uint32 a tree.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import llamaTokenizer from 'llama-tokenizer-js';
import { type ClinicalQuestion, choicesFor, type Split } from '../src/clinical/question.js';
import { clinicalQuestions, scores } from '../src/clinical/questions.js';
import { buildPrompt } from '../src/prompt/prompt.js';
import { letter } from '../src/prompt/question/question.js';
import { textOf } from '../src/prompt/segment.js';
import { Random } from '../src/random/xoshiro.js';
import type { Segment } from '../src/types.js';
import { type Case, caseOf, chainFor, type Offer } from './cases.js';
import { drawWording, type Layout, layouts, type Wording, wordingOf } from './layouts.js';

/** The special tokens that prompts and ends are made of; MEDITRON's vocabulary has others. */
const special: Readonly<Record<string, number>> = { '<s>': 1, '</s>': 2, '<|im_start|>': 32017, '<|im_end|>': 32018 };
const vocabulary = 32019;

/** What a sequence is: a direct answer (the letter alone), a chain of thought, or a tree of direct answers. */
const kinds = { direct: 0, chain: 1, tree: 2 } as const;

/** Sets of options of a tree, and how many of them are easy: three wrong totals far from a right one that is small. */
const branches = 6;
const easyBranches = 2;

type Mode = 'cot' | 'top-token';

/** A sequence: what is given, and what is to be learned after it. */
interface Sequence {
  readonly prompt: number;
  readonly all: readonly number[];
  readonly answer: number;
}

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
    layouts: layouts.map(({ name, protocol }) => ({ name, penalty: protocol === 'authors-code' ? 1 : 0 })),
    letters: [0, 1, 2, 3, 4].map(i => encode(`answer\n${letter(i)}`).at(-1)),
    spacedLetters: [0, 1, 2, 3, 4].map(i => encode(`The answer is: ${letter(i)}`).at(-1)),
    hashes: encode('The answer is: A ###').at(-1),
    ends: [special['</s>'], special['<|im_end|>']],
  };
  writeFileSync(join(values.out, 'dataset.json'), `${JSON.stringify(about)}\n`);
}

/** Every question as a chain, every other one as a tree, each in a layout of its own. */
function trainingSequences(seed: number, count: number): Sequences {
  const sequences = new Sequences();
  const random = new Random(seed);
  let i = 0;
  for (const question of clinicalQuestions({ seed, count, split: 'train' })) {
    const chained = drawWording(random);
    const asked = caseOf(question, offerIn(chained, random));
    sequences.add(kinds.chain, chained.layout, sequenceOf(asked, 'cot', chained));
    if (i++ % 2 === 0) {
      const wording = drawWording(random);
      const sets = optionSets(question, random).map(set => caseOf(set, offerIn(wording, random)));
      sequences.addTree(
        wording.layout,
        sets.map(set => sequenceOf(set, 'top-token', wording)),
      );
    }
    sequences.next(question.score, asked);
  }
  return sequences;
}

/** Every question as a chain and as a direct answer in the first layout, a third of them in every other one too. */
function heldOutSequences(seed: number, count: number): Sequences {
  const sequences = new Sequences();
  const random = new Random(seed);
  const questions = [...clinicalQuestions({ seed, count, split: 'held-out' })];
  for (const [i, layout] of layouts.entries()) {
    for (const question of i === 0 ? questions : questions.slice(0, count / 3)) {
      const wording = wordingOf(layout, random);
      const asked = caseOf(question, offerIn(wording, random));
      sequences.add(kinds.chain, layout, sequenceOf(asked, 'cot', wording));
      sequences.add(kinds.direct, layout, upToLetter(sequenceOf(asked, 'top-token', wording)));
      sequences.next(question.score, asked);
    }
  }
  return sequences;
}

/** Where "I cannot tell" is offered, it is the answer of every other question. */
function offerIn({ abstain }: Wording, random: Random): Offer {
  return abstain ? (random.chance(50) ? 'needed' : 'offered') : 'none';
}

/** The same question with other options, the easy ones first. */
function optionSets(question: ClinicalQuestion, random: Random): ClinicalQuestion[] {
  const gold = Number(question.options[question.answer]);
  return Array.from({ length: branches }, (_, i) => {
    const easy = i < easyBranches && gold <= 5;
    const choices = easy
      ? random.shuffled([gold, ...random.shuffled([6, 7, 8, 9]).slice(0, 3)])
      : choicesFor(gold, scores[question.score].range, random);
    const options = Object.fromEntries(choices.map((choice, at) => [letter(at), `${choice}`]));
    return { ...question, options, answer: letter(choices.indexOf(gold)) } as ClinicalQuestion;
  });
}

/** Token sequences and what is known of them, to be written as one split. */
class Sequences {
  readonly #ids: number[] = [];
  readonly #index: number[] = [];
  readonly #branches: number[] = [];
  readonly #questions: object[] = [];

  add(kind: number, layout: Layout, { prompt, all, answer }: Sequence): void {
    const row = [prompt, all.length, kind, this.#questions.length, layouts.indexOf(layout), answer];
    this.#index.push(this.#ids.length, ...row);
    for (const id of all) this.#ids.push(id);
  }

  /** Sequences that begin alike, that beginning once. */
  addTree(layout: Layout, sequences: readonly Sequence[]): void {
    const [{ all: first, answer }] = sequences as [Sequence];
    const shared = first.findIndex((id, i) => sequences.some(({ all }) => all[i] !== id));
    if (shared < 0) throw new Error('All sets of options of a question are the same');
    const rest = sequences.map(({ all }) => all.slice(shared));
    this.add(kinds.tree, layout, { prompt: shared, all: [...first.slice(0, shared), ...rest.flat()], answer });
    this.#branches.push(...rest.map(ids => ids.length));
  }

  /** Says which question the sequences since the last call were about. */
  next(score: string, { answer }: Case): void {
    this.#questions.push({ score, answer });
  }

  /** Writes the files of a split and gives the tokens that occur in it. */
  write(out: string, split: Split): Set<number> {
    writeFileSync(join(out, `${split}.ids.bin`), Uint16Array.from(this.#ids));
    writeFileSync(join(out, `${split}.index.bin`), Uint32Array.from(this.#index));
    writeFileSync(join(out, `${split}.branches.bin`), Uint32Array.from(this.#branches));
    writeFileSync(join(out, `${split}.json`), `${JSON.stringify(this.#questions)}\n`);
    return new Set(this.#ids);
  }
}

/** The prompt and the answer the model should give, up to and including the end of its turn. */
function sequenceOf(asked: Case, mode: Mode, { layout, bos, protocol, task, instruction }: Wording): Sequence {
  const question = { kind: 'choice', question: asked.question, options: asked.options } as const;
  const input = { question, mode, protocol, task, ...(instruction === undefined ? {} : { instruction }) };
  const { segments, continuations } = buildPrompt(layout.format, input);
  const gold =
    mode === 'cot' ? chainFor(asked, layout.bracketed, beginning(textOf(segments))) : continuations[asked.answer]!;
  const first: readonly Segment[] = bos ? [{ text: '<s>', template: true }] : [];
  const all = idsOf([...first, ...segments, { text: `${gold}${layout.end}`, template: true }]);
  const prompt = idsOf([...first, ...segments]);
  if (prompt.some((id, i) => all[i] !== id))
    throw new Error(`A prompt is not how its answer begins:\n${textOf(segments)}`);
  return { prompt: prompt.length, all, answer: all.length - prompt.length };
}

/** What a model says first: a blank behind a colon or bracket, a new line behind a sentence, nothing on a new line. */
function beginning(prompt: string): string {
  return prompt.endsWith('\n') ? '' : prompt.endsWith('.') ? '\n' : ' ';
}

/** A direct answer with all before its letter as its prompt: the paper's have a bracket there. */
function upToLetter({ prompt, all, answer }: Sequence): Sequence {
  const before = answer > 2 ? 1 : 0;
  return { prompt: prompt + before, all, answer: answer - before };
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
    for (const part of template ? text.split(/(<\|im_(?:start|end)\|>|<\/?s>)/) : [text]) {
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
  if (recent.size >= 16) recent.delete(recent.keys().next().value!);
  recent.set(text, ids);
  return ids;
}

main();
