import type { ComponentChildren } from 'preact';
import type { Evidence, PanelReplay, Question, Replay } from '../../../src/server/meditron/protocol.js';
import { AllChains } from '../ask/card-parts.js';
import { Choices } from '../ask/choices.js';
import { factsOf } from '../ask/howasked.js';
import { choicesOf, inFull, inShort } from '../ask/question.js';
import { QuestionText } from '../ask/question-text.js';
import { Disclosure, English, Facts, focusOnce } from '../parts/parts.js';
import { words } from '../words/words.js';

/** The question of a record, with what could be answered. */
export function Asked({ question, owner }: { readonly question: Question | null; readonly owner: object }) {
  const { answer: a } = words.value;
  return (
    <>
      <h2 tabindex={-1} ref={focusOnce(owner)}>
        {question ? a.question : words.value.opinions.title}
      </h2>
      {question && (
        <>
          <QuestionText question={question} />
          <Choices question={question} />
        </>
      )}
    </>
  );
}

/** What a record contradicts itself in. */
export function Contradicted({ by }: { readonly by: Replay | PanelReplay | null }) {
  if (!by) return null;
  return (
    <p class="why-not">
      {words.value.records.changed} <English>{by.summary}</English>
    </p>
  );
}

/** What one model came to: its headline, and its counts as they were written. */
export function Result({ evidence }: { readonly evidence: Evidence }) {
  const { failed, thinking } = words.value;
  const { result, samples, plan } = evidence;
  return (
    <>
      <p class="headline">
        <bdi>{headlineOf(evidence)}</bdi>
      </p>
      {result.stoppedBy === 'failed' && (
        <p>
          {failed.partial} {thinking.answered(samples.length, plan.samples)}
        </p>
      )}
      <p lang="en" dir="ltr">
        {result.summary}
      </p>
    </>
  );
}

function headlineOf(evidence: Evidence): string {
  const { answer: a } = words.value;
  const { question, result } = evidence;
  if (result.decision === 'agree' && result.answer !== null) return inFull(result.answer, question, words.value);
  if (result.decision === 'split') return a.split(saidBy(evidence));
  return result.decision === null ? a.free : a.abstained;
}

/** `3 say D`, the most first. */
function saidBy({ question, result: { votes } }: Evidence): string[] {
  return choicesOf(question, words.value)
    .map(({ label }) => ({ label, count: votes[label] ?? 0 }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count)
    .map(({ label, count }) => words.value.answer.says(count, inShort(label, question, words.value)));
}

interface EvidenceProps {
  readonly evidence: Evidence;
  /** On paper everything stands open. */
  readonly isPaper?: boolean;
}

/** Every chain of a record, and how it was asked. */
export function ChainsAndFacts({ evidence, isPaper = false }: EvidenceProps) {
  const { answer: a } = words.value;
  const Part = isPaper ? OnPaper : Disclosure;
  return (
    <>
      <Part title={a.allChains}>
        <AllChains
          chains={evidence.samples}
          cut={[]}
          stoppedBy={evidence.result.stoppedBy}
          question={evidence.question}
        />
      </Part>
      <Part title={a.howAsked}>
        <Facts rows={factsOf(evidence)} />
      </Part>
    </>
  );
}

function OnPaper({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section>
      <h2>{title}</h2>
      {children}
    </section>
  );
}
