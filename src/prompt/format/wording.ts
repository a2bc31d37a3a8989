import type { Segment } from '../../types.js';
import { letter } from '../question/question.js';
import { fixed } from '../segment.js';
import { type PromptInput, type Task, thinks } from './format.js';
import { type Instruction, type InstructionKey, instructions } from './instructions.js';
import { rankedInstruction } from './open.js';

/** The phrase that ends a chain of thought and announces an answer, in training data and prompts alike. */
export const answerPhrase = 'The answer is:';

/** What is said around a question: before it, and after it. Undefined where nothing is said, not even an empty line. */
export interface Wording {
  readonly instruction: readonly Segment[] | undefined;
  readonly cue: readonly Segment[];
}

/** The instruction and cue of an input under its protocol (see {@link instructions} for the authors' strings). */
export function wordingOf(input: PromptInput): Wording {
  const { system, user } = spokenBy(input);
  if (input.instruction !== undefined) {
    const given = input.instruction === '' ? undefined : [{ text: input.instruction, template: false }];
    return { instruction: given, cue: fixed(user) };
  }
  // The authors' code keeps the line of an empty instruction (truthfulqa_cot).
  const omitted = system === '' && input.protocol !== 'authors-code';
  return { instruction: omitted ? undefined : fixed(system), cue: fixed(user) };
}

/** The task of an input: as given, or the one whose instruction fits the kind of question. */
export function taskOf({ task, question }: PromptInput): Task {
  if (task !== undefined) return task;
  if (question.kind === 'choice') return 'medmcqa'; // as the authors do for MMLU, which has no instruction of its own
  return question.kind === 'boolean' ? 'pubmedqa' : 'open';
}

const keyOf: Readonly<Record<Task, InstructionKey>> = {
  medqa: 'medqa',
  medqa4: 'medqa',
  medmcqa: 'medmcqa',
  mmlu_medical: 'medmcqa',
  truthfulqa: 'truthfulqa',
  mcq: 'mcq',
  pubmedqa: 'pubmedqa',
  medicationqa: 'medicationqa',
  open: 'open_question',
};

function spokenBy(input: PromptInput): Instruction {
  if (input.mode === 'ranked') return { system: rankedInstruction(input.items ?? 5), user: answerPhrase };
  const key = keyOf[taskOf(input)];
  const cot = thinks(input.mode);
  const asPublished: Instruction = instructions[cot ? (`${key}_cot` as InstructionKey) : key];
  if (input.protocol === 'authors-code') return asPublished;

  if (input.protocol === 'paper') {
    // arXiv 2311.16079: Table 2 prints "real-world", section 4 "Let's think step-by-step".
    return {
      system: asPublished.system.replace('realworld', 'real-world'),
      user: cot ? "Let's think step-by-step" : asPublished.user,
    };
  }
  const { system } = instructions[key];
  return { system: lettered(system, input), user: cot ? "Let's think step by step." : answerPhrase };
}

/** The instruction with the letters that the question really has: four options of MedQA are "A to D". */
function lettered(system: string, { question }: PromptInput): string {
  if (question.kind !== 'choice') return system;
  return system.replace(/from A to [DE]/, `from A to ${letter(question.options.length - 1)}`);
}
