/**
 * Writes the training and validation sets of the clinical-score model as token ids, exactly as the engine will see them:
 *
 *     npx tsx training/export-dataset.ts --out build/mini/data
 *
 * `*.ids.bin` holds all sequences as uint16, `*.index.bin` five uint32 for each: start, tokens of prompt, tokens in all,
 * 1 for a chain of thought and 0 for a direct answer, number of the question.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import llamaTokenizer from 'llama-tokenizer-js';
import { type ClinicalQuestion, letters, type Split } from '../src/evaluate/clinical/question.js';
import { clinicalQuestions } from '../src/evaluate/clinical/questions.js';
import { chatml } from '../src/prompt/chatml.js';
import type { PromptInput } from '../src/prompt/format.js';
import { buildPrompt } from '../src/prompt/prompt.js';
import type { Segment } from '../src/types.js';

const special: Readonly<Record<string, number>> = { '<|im_start|>': 32017, '<|im_end|>': 32018 };
const vocabulary = 32019;

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
      count: { type: 'string', default: '30000' },
      'valid-seed': { type: 'string', default: '2' },
      'valid-count': { type: 'string', default: '600' },
    },
  });
  mkdirSync(values.out, { recursive: true });
  const pieces = new Set<number>();
  const seeds = { train: Number(values.seed), 'held-out': Number(values['valid-seed']) };
  writeSplit(values.out, 'train', seeds.train, Number(values.count), pieces);
  writeSplit(values.out, 'held-out', seeds['held-out'], Number(values['valid-count']), pieces);
  const about = {
    seeds,
    vocabulary,
    pieces: [...pieces].sort((a, b) => a - b),
    letters: letters.map(letter => encode(`answer\n${letter}`).at(-1)),
    spacedLetters: letters.map(letter => encode(`The answer is: ${letter}`).at(-1)),
    hashes: encode('The answer is: A ###').at(-1),
    // What data.py finds its way by, to put other numbers into the options.
    words: { options: pieceIds('Options') },
    digits: pieceIds('0', '1', '2', '3', '4', '5', '6', '7', '8', '9'),
    newline: encode('a\n').at(-1),
    end: special['<|im_end|>'],
  };
  writeFileSync(join(values.out, 'dataset.json'), `${JSON.stringify(about)}\n`);
}

function writeSplit(out: string, split: Split, seed: number, count: number, pieces: Set<number>): void {
  const ids: number[] = [];
  const index: number[] = [];
  const rows: object[] = [];
  let i = 0;
  for (const question of clinicalQuestions({ seed, count, split })) {
    for (const mode of ['cot', 'top-token'] as const) {
      const wording = split === 'train' ? wordingOf(i) : usual;
      const { prompt, all } = sequenceOf(question, mode, wording);
      index.push(ids.length, prompt, all.length, mode === 'cot' ? 1 : 0, i);
      for (const id of all) {
        ids.push(id);
        pieces.add(id);
      }
    }
    rows.push({ id: question.id, score: question.score, answer: letters.indexOf(question.answer) });
    i++;
  }
  writeFileSync(join(out, `${split}.ids.bin`), Uint16Array.from(ids));
  writeFileSync(join(out, `${split}.index.bin`), Uint32Array.from(index));
  writeFileSync(join(out, `${split}.json`), `${JSON.stringify(rows)}\n`);
}

/** The ids of words that are one piece each at the start of a line. */
function pieceIds(...words: readonly string[]): (number | undefined)[] {
  return words.map(word => encode(`a\n${word}`).at(-1));
}

/** Two in 25 questions are asked under another protocol, two under another instruction. */
function wordingOf(i: number): Wording {
  return i % 25 < 2 ? others[0]! : i % 25 < 4 ? others[1]! : usual;
}

/** The prompt and the answer the model should give, up to and including the end of its turn. */
function sequenceOf(question: ClinicalQuestion, mode: Mode, wording: Wording): { prompt: number; all: number[] } {
  const { segments } = buildPrompt(chatml, {
    question: { kind: 'choice', question: question.question, options: letters.map(letter => question.options[letter]) },
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
