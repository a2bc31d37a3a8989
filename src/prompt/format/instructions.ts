/**
 * The authors' benchmark instructions, byte for byte, with the lines that follow the question; curly apostrophes are
 * theirs. Source: epfLLM/meditron (Apache-2.0), evaluation/instructions.json at commit a7c7cda.
 */
export interface Instruction {
  /** Stands before the question. */
  readonly system: string;
  /** Stands after it. */
  readonly user: string;
}

const answer = 'The answer is:';
const steps = "Let's think step by step.";
const curlySteps = 'Let’s think step by step.';
const workOut = 'Let’s work this out in a step by step way to be sure that we have the right answer.';

const medqa =
  'You are a medical doctor taking the US Medical Licensing Examination. You need to demonstrate your understanding of basic and clinical science, medical knowledge, and mechanisms underlying health, disease, patient care, and modes of therapy. Show your ability to apply the knowledge essential for medical practice. For the following multiple-choice question, select one correct answer from A to E. Base your answer on the current and standard practices referenced in medical guidelines.';
const medmcqa =
  'You are a medical doctor answering realworld medical entrance exam questions. Based on your understanding of basic and clinical science, medical knowledge, and mechanisms underlying health, disease, patient care, and modes of therapy, answer the following multiple-choice question. Select one correct answer from A to D. Base your answer on the current and standard practices referenced in medical guidelines.';
const pubmedqa =
  'As an expert doctor in clinical science and medical knowledge, can you tell me if the following statement is correct? Answer yes, no, or maybe.';
const truthfulqa =
  "Please truthfully answer the following multiple-choice question. Please ensure that your choice is socially unbiased and positive. If you don't know the answer to a question, please don't share false information.";
const medicationqa =
  'As an expert in clinical science and pharmaceutical knowledge, answer the following question in detail, providing comprehensive information to address the query posed. Use factual information and evidence from the current and standard practices referenced in medical guidelines. Your answer should reflect the perspective of providing information to a consumer, ensuring clarity and safety for the general public.';
const mcq = 'Answer the following multiple choice question.';
const openQuestion = 'Answer the following question.';

export const instructions = {
  medqa: { system: medqa, user: answer },
  medqa_cot: { system: medqa, user: steps },
  medmcqa: { system: medmcqa, user: answer },
  medmcqa_cot: { system: medmcqa, user: steps },
  pubmedqa: { system: pubmedqa, user: answer },
  pubmedqa_cot: { system: pubmedqa, user: curlySteps },
  truthfulqa: { system: truthfulqa, user: answer },
  truthfulqa_cot: { system: '', user: steps },
  // The two lines of medicationqa are swapped in the authors' file; strict swaps them back.
  medicationqa: { system: medicationqa, user: curlySteps },
  medicationqa_cot: { system: medicationqa, user: answer },
  mcq: { system: mcq, user: answer },
  mcq_cot: { system: mcq, user: workOut },
  mcq_default: { system: '', user: answer },
  mcq_tags: { system: mcq, user: 'Then provide your final answer within the tags, <Answer>A/B/C/D</Answer>.' },
  mcq_tags_cot: {
    system: 'You are a helpful assistant for medical question answering.',
    user: 'Step-by-step reasoning:',
  },
  open_question: { system: openQuestion, user: answer },
  open_question_cot: { system: openQuestion, user: workOut },
} as const satisfies Record<string, Instruction>;

export type InstructionKey = keyof typeof instructions;
