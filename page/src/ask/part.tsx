import { partialSchema } from '../../../src/ask/record/partial.js';
import type { AskRequest, PartialRecord } from '../../../src/server/meditron/protocol.js';
import type { Problem } from '../api/api.js';
import type { Machine } from '../machine.js';
import { Disclosure, English } from '../parts/parts.js';
import { words, writing } from '../words/words.js';
import type { Progress } from './progress.js';
import { inFull } from './question.js';
import { Tally } from './tally.js';

/** What was heard of a vote until it failed. Null: it had not begun. Pure but for the time. */
export function partOf(
  { question, model, plan, chains }: Progress,
  request: AskRequest | undefined,
  { code, message }: Problem,
  machine: Pick<Machine, 'model' | 'state'>,
): PartialRecord | null {
  if (!question || !plan) return null;
  const { model: _, id, text, question: __, ...asked } = request ?? {};
  return {
    schema: partialSchema,
    meditron: machine.state.value?.version ?? null,
    created: new Date().toISOString(),
    model: { name: model, sha256: machine.model(model)?.hash.sha256 ?? null },
    question,
    asked: request ? asked : null,
    planned: plan.samples,
    samples: chains.flatMap(({ text, state, answer, forced }, index) =>
      text === '' ? [] : [{ index, finished: state === 'ended', answer, forced, text }],
    ),
    failure: { code, message },
  };
}

/** Whether a file that was opened is such a record: it comes from anywhere. */
export function isPartial(value: unknown): value is PartialRecord {
  const { schema, question, samples, planned } = (value ?? {}) as Record<string, unknown>;
  return (
    schema === partialSchema && Number.isInteger(planned) && isQuestion(question) && isList(samples, isPartialSample)
  );
}

function isQuestion(value: unknown): boolean {
  const { kind, question, options, context } = (value ?? {}) as Record<string, unknown>;
  return (
    (kind === 'choice' ? isList(options, isText) : kind === 'boolean' || kind === 'open') &&
    isText(question) &&
    (context === undefined || isList(context, isText))
  );
}

function isPartialSample(value: unknown): boolean {
  const { index, answer, text } = (value ?? {}) as Record<string, unknown>;
  return Number.isInteger(index) && (answer === null || isText(answer)) && isText(text);
}

const isText = (value: unknown) => typeof value === 'string';
const isList = (value: unknown, isOne: (value: unknown) => boolean) => Array.isArray(value) && value.every(isOne);

/** Counts of the chains that had ended, said to be no result, and the texts of all that had begun. */
export function PartOfVote({ part }: { readonly part: PartialRecord }) {
  const { answer: a, failed, thinking, unverified } = words.value;
  const { question, samples, planned } = part;
  const said = (given: string | null) => (given === null ? thinking.noAnswer : inFull(given, question, words.value));
  const heard = samples.filter(({ finished }) => finished);
  return (
    <>
      {heard.length > 0 && (
        <div class="partial">
          <p>{failed.partial}</p>
          <div class="tally">
            <Tally question={question} chains={heard} />
            <span>{thinking.answered(heard.length, planned)}</span>
          </div>
        </div>
      )}
      {samples.length > 0 && (
        <Disclosure title={a.allChains}>
          <p class="hint">{unverified}</p>
          <ol class="all-chains">
            {samples.map(({ index, finished, answer, text }) => (
              <li key={index}>
                <h3>
                  {thinking.chain(index + 1)}
                  {writing.value.colon}
                  <bdi>{finished ? said(answer) : thinking.stoppedHere}</bdi>
                </h3>
                <p class="model-text unverified">
                  <English>{text}</English>
                </p>
              </li>
            ))}
          </ol>
        </Disclosure>
      )}
    </>
  );
}
