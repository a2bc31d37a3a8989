import type { TaskName } from '../tasks/task.js';

/** How an answer was obtained: figures are comparable only within one mode and one scorer. */
export type ReferenceMode = 'top-token' | 'cot' | 'sc-cot';

/** A published figure. All values are per cent. */
export interface Reference {
  readonly model: ReferenceModel;
  readonly mode: ReferenceMode;
  readonly task: TaskName;
  /** A subject of MMLU-Medical or a category of TruthfulQA; absent for the whole task. */
  readonly subject?: string;
  readonly accuracy: number;
  /** Standard deviation over three demonstration seeds, where the source gives one. */
  readonly sd?: number;
  /** Questions behind the figure. */
  readonly n: number;
  /** Demonstrations in the prompt. */
  readonly shots: number;
  /** The weights: published base weights, or a fine-tune on the task whose weights were not published. */
  readonly weights: 'base' | 'task fine-tune (weights not published)';
  readonly scorer: string;
  readonly source: string;
  /** True if the weights that the figure was taken with can be had. */
  readonly reproducible: boolean;
  readonly note?: string;
}

export type ReferenceModel = 'Meditron-7B' | 'Meditron-70B' | 'Llama-2-7B' | 'Llama-2-70B';

export interface ReferenceQuery {
  readonly model: ReferenceModel;
  readonly mode: ReferenceMode;
  readonly task: TaskName;
  readonly subject?: string | undefined;
}

/**
 * The published figures for a model, mode and task, the reproducible ones first; empty if there is none. Show each with
 * {@link referenceLabel}: the same accuracy under another scorer is another measurement.
 */
export function referencesFor({ model, mode, task, subject }: ReferenceQuery): Reference[] {
  const found = references.filter(
    r => r.model === model && r.mode === mode && r.task === task && r.subject === subject,
  );
  return found.sort((a, b) => Number(b.reproducible) - Number(a.reproducible));
}

/** `71.5 ± 0.67 (n 1862, 5-shot, base; ...; arXiv 2311.16079, Table 4)` */
export function referenceLabel(r: Reference): string {
  const spread = r.sd === undefined ? '' : ` ± ${r.sd}`;
  const shots = r.shots > 0 ? `${r.shots}-shot` : 'zero-shot';
  const note = r.note ? `; ${r.note}` : '';
  return `${r.accuracy.toFixed(1)}${spread} % (n ${r.n}, ${shots}, ${r.weights}; ${r.scorer}; ${r.source}${note})`;
}

/** The paper's model that a model's family and size stand for, or undefined: only those four were measured. */
export function referenceModel(name: string): ReferenceModel | undefined {
  const size = /(?<![\d.])(7|70)\s*b(?![a-z])/i.exec(name)?.[1];
  if (!size || /llama-?3|meditron-?3/i.test(name)) return undefined;
  if (/meditron/i.test(name)) return `Meditron-${size}B` as ReferenceModel;
  return /llama-?2/i.test(name) ? (`Llama-2-${size}B` as ReferenceModel) : undefined;
}

const paper = 'arXiv 2311.16079';
const greedy = "generated answer, authors' parser";
const voted = "majority of 5 sampled chains, authors' parser";
const tuned = 'task fine-tune (weights not published)';

/** Rows of the copies that the authors used: their MMLU lacks one row a subject. */
const rows = { 'mmlu-medical': 1862, pubmedqa: 500, medmcqa: 4183, medqa: 1273, medqa4: 1273 } as const;
const columns = ['mmlu-medical', 'pubmedqa', 'medmcqa', 'medqa', 'medqa4'] as const;
const pubmedNote = "the authors' parser cannot score maybe: at most 89.0 %";

type Pair = readonly [accuracy: number, sd: number];

function fewShot(model: ReferenceModel, values: readonly Pair[]): Reference[] {
  return values.map(([accuracy, sd], i) => {
    const task = columns[i]!;
    return {
      model,
      mode: 'top-token',
      task,
      accuracy,
      sd,
      n: rows[task],
      shots: model.endsWith('70B') ? 5 : 3,
      weights: 'base',
      scorer: `${greedy}, mean ± sd over three demonstration seeds`,
      source: `${paper}, Table 4`,
      reproducible: true,
      ...(task === 'pubmedqa' && { note: pubmedNote }),
    };
  });
}

function fineTuned(model: ReferenceModel, mode: ReferenceMode, values: readonly number[]): Reference[] {
  return values.map((accuracy, i) => {
    const task = columns[i]!;
    return {
      model,
      mode,
      task,
      accuracy,
      n: rows[task],
      shots: 0,
      weights: tuned,
      scorer: mode === 'sc-cot' ? voted : greedy,
      source: `${paper}, Table 5`,
      reproducible: false,
      ...(task === 'pubmedqa' && { note: pubmedNote }),
    };
  });
}

const subjectRows = [
  ['anatomy', 134],
  ['college_biology', 143],
  ['college_medicine', 172],
  ['professional_medicine', 271],
  ['medical_genetics', 99],
  ['virology', 165],
  ['clinical_knowledge', 264],
  ['high_school_biology', 309],
  ['nutrition', 305],
] as const;

function bySubject(model: ReferenceModel, mode: ReferenceMode, values: readonly number[]): Reference[] {
  return values.map((accuracy, i) => ({
    model,
    mode,
    task: 'mmlu-medical',
    subject: subjectRows[i]![0],
    accuracy,
    n: subjectRows[i]![1],
    shots: 0,
    weights: tuned,
    scorer: mode === 'sc-cot' ? voted : greedy,
    source: `${paper}, Table 12`,
    reproducible: false,
    note: 'fine-tuned on MedMCQA',
  }));
}

const categoryRows = [
  ['Health', 55],
  ['Nutrition', 16],
  ['Psychology', 19],
  ['Science', 9],
] as const;

/** The last value is the paper's "avg", the mean of the four categories. */
function truthful(model: ReferenceModel, values: readonly number[]): Reference[] {
  return values.map((accuracy, i) => ({
    model,
    mode: 'top-token',
    task: 'truthfulqa',
    ...(i < 4 && { subject: categoryRows[i]![0] }),
    accuracy,
    n: categoryRows[i]?.[1] ?? 99,
    shots: model.endsWith('70B') ? 0 : 1,
    weights: 'base',
    scorer: `${greedy}; wrong options drawn with replacement, unseeded`,
    source: `${paper}, Table 13`,
    reproducible: true,
    ...(i === 4 && { note: 'unweighted mean of the four categories' }),
    ...(accuracy === 77.9 && { note: 'as printed; not attainable with 16 questions' }),
  }));
}

/** All figures of the paper that this package can set beside its own. */
export const references: readonly Reference[] = [
  ...fewShot('Llama-2-7B', [
    [41.4, 0.24],
    [49.1, 51.1],
    [37.9, 1.16],
    [29.1, 0.9],
    [35.4, 4.27],
  ]),
  ...fewShot('Meditron-7B', [
    [42.3, 2.37],
    [69.3, 15.1],
    [36.3, 1.38],
    [28.7, 0.81],
    [37.4, 3.27],
  ]),
  ...fewShot('Llama-2-70B', [
    [71.3, 0.87],
    [72.8, 7.34],
    [52.4, 0.21],
    [49.0, 0.85],
    [58.4, 0.95],
  ]),
  ...fewShot('Meditron-70B', [
    [71.5, 0.67],
    [79.8, 0.46],
    [53.3, 0.51],
    [52.0, 1.21],
    [59.8, 0.24],
  ]),
  ...fineTuned('Meditron-7B', 'top-token', [55.6, 74.4, 59.2, 47.9, 52.0]),
  ...fineTuned('Llama-2-7B', 'top-token', [56.3, 61.8, 54.4, 44.0, 49.6]),
  ...fineTuned('Meditron-70B', 'top-token', [73.6, 80.0, 65.1, 60.7, 65.4]),
  ...fineTuned('Meditron-70B', 'cot', [74.9, 81.0, 63.2, 61.5, 67.8]),
  ...fineTuned('Meditron-70B', 'sc-cot', [77.6, 81.6, 66.0, 64.4, 70.2]),
  ...fineTuned('Llama-2-70B', 'top-token', [74.7, 78.0, 62.7, 59.2, 61.3]),
  ...fineTuned('Llama-2-70B', 'cot', [76.7, 79.8, 62.1, 60.8, 63.9]),
  ...fineTuned('Llama-2-70B', 'sc-cot', [77.9, 80.0, 62.6, 61.5, 63.8]),
  ...bySubject('Meditron-7B', 'top-token', [49.3, 53.8, 44.8, 55.4, 64.6, 38.2, 57.2, 62.5, 63.6]),
  ...bySubject('Meditron-70B', 'top-token', [62.7, 82.5, 62.8, 77.9, 77.8, 50.0, 72.3, 86.4, 76.4]),
  ...bySubject('Meditron-70B', 'cot', [68.7, 79.0, 67.4, 77.9, 77.8, 57.0, 76.5, 81.6, 77.4]),
  ...bySubject('Meditron-70B', 'sc-cot', [69.4, 86.7, 68.0, 82.3, 85.9, 56.4, 75.5, 85.1, 82.3]),
  ...bySubject('Llama-2-7B', 'top-token', [48.5, 53.1, 50.0, 53.5, 71.8, 41.2, 59.8, 62.5, 61.3]),
  ...bySubject('Llama-2-70B', 'sc-cot', [70.9, 90.9, 72.1, 82.3, 81.1, 53.9, 76.5, 87.7, 78.4]),
  ...truthful('Llama-2-7B', [16.4, 12.5, 10.5, 11.1, 12.6]),
  ...truthful('Meditron-7B', [27.3, 31.3, 21.1, 33.3, 28.3]),
  ...truthful('Llama-2-70B', [69.1, 68.8, 36.8, 44.4, 54.8]),
  ...truthful('Meditron-70B', [81.8, 77.9, 47.4, 77.8, 71.2]),
  // The Open Medical-LLM leaderboard's run of lm-eval.
  ...leaderboard(),
];

function leaderboard(): Reference[] {
  const values: readonly (readonly [TaskName, string | undefined, number, number])[] = [
    ['medmcqa', undefined, 46.8, 4183],
    ['medqa4', undefined, 57.1, 1273],
    ['pubmedqa', undefined, 76.6, 500],
    ['mmlu-medical', 'anatomy', 53.3, 135],
    ['mmlu-medical', 'clinical_knowledge', 66.7, 265],
    ['mmlu-medical', 'college_biology', 76.3, 144],
    ['mmlu-medical', 'college_medicine', 63.0, 173],
    ['mmlu-medical', 'medical_genetics', 69.0, 100],
    ['mmlu-medical', 'professional_medicine', 71.6, 272],
  ];
  return values.map(([task, subject, accuracy, n]) => ({
    model: 'Meditron-70B',
    mode: 'top-token',
    task,
    ...(subject !== undefined && { subject }),
    accuracy,
    n,
    shots: 0,
    weights: 'base',
    scorer: 'lm-eval: log-probability of the options, other prompts',
    source: 'Open Medical-LLM leaderboard',
    reproducible: true,
  }));
}
