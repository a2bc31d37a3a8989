import { alpaca } from '../src/prompt/format/alpaca.js';
import { chatml } from '../src/prompt/format/chatml.js';
import { fewShot, raw } from '../src/prompt/format/fewshot.js';
import type { PromptFormat, Protocol, Task } from '../src/prompt/format/format.js';
import { jinjaFormat } from '../src/prompt/format/jinja.js';
import { llama2 } from '../src/prompt/format/llama2.js';
import { llama3 } from '../src/prompt/format/llama3.js';
import { medical } from '../src/prompt/format/medical.js';
import { oneShot, zeroShot } from '../src/prompt/format/oneshot.js';
import type { Random } from '../src/random/xoshiro.js';

/** A way to ask, and how many prompts in a thousand are asked so. */
export interface Layout {
  readonly name: string;
  readonly share: number;
  readonly format: PromptFormat;
  readonly protocol: Protocol;
  /** Prompts in a hundred that begin with BOS. */
  readonly bos: number;
  /** Prompts in a hundred that offer "I cannot tell". */
  readonly abstain: number;
  /** What ends an answer. */
  readonly end: '<|im_end|>' | '</s>';
  /** Whether options are shown as `(A) text`. */
  readonly bracketed: boolean;
}

/** One prompt's way to be asked. */
export interface Wording {
  readonly layout: Layout;
  readonly protocol: Protocol;
  readonly task: Task;
  readonly instruction?: string;
  readonly bos: boolean;
  readonly abstain: boolean;
}

/** ChatML with the roles most other models have, by a template. */
const userChatml = jinjaFormat(
  "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}" +
    '{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}',
);

const native = { bos: 30, abstain: 15 } as const;

/**
 * All of them. The first four are what the model is for; of the others it only shall not be upset. A name ends in what sets a
 * layout apart from that of the same format and protocol.
 */
export const layouts: readonly Layout[] = [
  layout('chatml strict', 300, chatml),
  layout('chatml strict, BOS', 90, chatml, { bos: 100 }),
  layout('chatml strict, I cannot tell', 120, chatml, { bos: 20, abstain: 100 }),
  layout('chatml paper', 140, chatml, { protocol: 'paper', bos: 30, bracketed: true }),
  layout('chatml authors-code', 130, chatml, { protocol: 'authors-code', bos: 90 }),
  layout('medical strict', 20, medical, native),
  layout('medical authors-code', 15, medical, { protocol: 'authors-code', bos: 90 }),
  layout('raw strict', 20, raw, { ...native, end: '</s>' }),
  layout('raw paper', 10, raw, { protocol: 'paper', bos: 30, end: '</s>' }),
  layout('raw authors-code', 10, raw, { protocol: 'authors-code', bos: 90, end: '</s>' }),
  layout('zero-shot strict', 30, zeroShot, { ...native, end: '</s>' }),
  layout('alpaca strict', 30, alpaca, { ...native, end: '</s>' }),
  layout('llama-2 strict', 25, llama2, { ...native, end: '</s>' }),
  layout('llama-3 strict', 10, llama3, { ...native, end: '</s>' }),
  layout('user and assistant strict', 30, userChatml, native),
  layout('few-shot strict', 10, fewShot, { bos: 30, end: '</s>' }),
  layout('one-shot strict', 10, oneShot, { bos: 30, end: '</s>' }),
];

function layout(name: string, share: number, format: PromptFormat, given: Partial<Layout> = {}): Layout {
  const usual = { protocol: 'strict', bos: 0, abstain: 0, end: '<|im_end|>', bracketed: false } as const;
  return { name, share, format, ...usual, ...given };
}

/** Draws a layout by its share, and the rest by chance. */
export function drawWording(random: Random): Wording {
  const drawn = layouts.flatMap(layout => Array<Layout>(layout.share).fill(layout))[random.below(1000)]!;
  const place100 = random.below(100);
  const instruction = place100 < 3 ? { instruction: '' } : {};
  return { ...wordingOf(drawn, random), task: taskAt(place100), ...instruction };
}

/** The usual question in a layout: that of the task the model is for. */
export function wordingOf(layout: Layout, random: Random): Wording {
  const { protocol, bos, abstain } = layout;
  return { layout, protocol, task: 'mcq', bos: random.chance(bos), abstain: random.chance(abstain) };
}

/** Most questions have the instruction of `mcq`, some those of benchmarks, lest the model know only one. */
function taskAt(place100: number): Task {
  if (place100 < 12) return 'medmcqa';
  if (place100 < 17) return 'medqa';
  return place100 < 21 ? 'truthfulqa' : 'mcq';
}
