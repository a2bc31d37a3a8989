import { now } from '../clock.js';
import type { Machine } from '../machine.js';
import { Dot } from '../parts/dots.js';
import { English } from '../parts/parts.js';
import { words } from '../words/words.js';
import { Accuracy } from './accuracy.js';
import { type Chain, ended, type Progress, timeLeft, waitsFor } from './progress.js';
import { choicesOf, inShort } from './question.js';
import type { Run } from './run.js';
import type { AskStore } from './store.js';
import { Tally } from './tally.js';

interface Props {
  readonly run: Run;
  readonly store: AskStore;
  readonly machine: Machine;
  readonly isFirst: boolean;
}

/** While chains run: one line each with its newest words, and the votes as they come. */
export function Thinking({ run, store, machine, isFirst }: Props) {
  const { thinking } = words.value;
  const progress = run.progress.value;
  const { plan, chains, model } = progress;
  const listed = firstWaiting(chains) + nextWaiting;
  return (
    <section class="thinking" tabindex={-1} aria-label={thinking.title} ref={isFirst ? focusAfterAsking : null}>
      <div class="head">
        <Stage progress={progress} />
        <button type="button" class="stop" aria-disabled={run.isStopping.value} onClick={() => store.stop()}>
          {run.isStopping.value ? thinking.stopping : thinking.stop} <kbd>Esc</kbd>
        </button>
      </div>
      <div role="status">{run.isLost.value && <p class="why-not">{thinking.lostTouch}</p>}</div>
      <ol class="chains">
        {chains.slice(0, listed).map((chain, i) => (
          <Line key={i} run={run} chain={chain} i={i} progress={progress} />
        ))}
      </ol>
      {listed < chains.length && <p class="hint">{thinking.moreWait(chains.length - listed)}</p>}
      {plan && (
        <div class="tally">
          <Tally question={progress.question} chains={chains} />
          <span>{thinking.answered(ended(progress), plan.samples)}</span>
          <Times progress={progress} />
        </div>
      )}
      <p class="hint">
        <Accuracy model={machine.model(model)} />
      </p>
      <p class="hint">{words.value.unverified}</p>
    </section>
  );
}

/** The box that was asked from is gone, and the focus with it. */
function focusAfterAsking(section: HTMLElement | null): void {
  if (document.activeElement?.matches('body, main')) section?.focus({ preventScroll: true });
}

function Stage({ progress }: { readonly progress: Progress }) {
  const { thinking } = words.value;
  const { phase, prompt, loaded } = progress;
  if (phase === 'reading' && prompt && prompt.total > 0)
    return (
      <div class="stage">
        <p id="stage">{thinking.reading(prompt.done, prompt.total)}</p>
        <progress max={prompt.total} value={prompt.done} aria-labelledby="stage" />
      </div>
    );
  const text = phase === 'waiting' ? (loaded ? thinking.waiting : thinking.loading) : thinking.title;
  return (
    <div class="stage">
      <p>{text}</p>
    </div>
  );
}

/** Chains that have not begun and are listed each: of the rest there is their number. */
const nextWaiting = 4;

function firstWaiting(chains: readonly Chain[]): number {
  return chains.findLastIndex(({ state }) => state !== 'waiting') + 1;
}

/** Characters of the newest words that a line may show: more would be laid out for nothing. */
const shown = 140;

function Line({ run, chain, i, progress }: { run: Run; chain: Chain; i: number; progress: Progress }) {
  const { thinking } = words.value;
  const isOpen = run.open.value.has(i);
  const { text, state } = chain;
  const choices = progress.question ? choicesOf(progress.question, words.value) : [];
  const place = choices.findIndex(({ label }) => label === chain.answer);
  const waits = progress.plan && state === 'waiting' ? waitsFor(progress.plan, i) : null;
  return (
    <li class={`chain ${state}`}>
      <button type="button" class="line" aria-expanded={isOpen} onClick={() => run.toggle(i)}>
        <span class="name">{thinking.chain(i + 1)}</span>
        <span class="newest" lang="en" dir="ltr" aria-hidden="true">
          {state === 'waiting' ? '' : (text.length > shown ? '… ' : '') + text.slice(-shown).replace(/\s+/g, ' ')}
        </span>
        <span class="state">
          <span>
            {waits ? (
              thinking.waits(waits.from, waits.to)
            ) : (
              <>
                <bdi>{stateOf(chain, progress)}</bdi>
                {chain.state === 'ended' && chain.forced && ` (${thinking.askedAgain})`}
              </>
            )}
          </span>
          {place >= 0 && <Dot place={place} isOpen={chain.forced} />}
        </span>
      </button>
      {isOpen && (
        <p class="model-text unverified">
          <English>{text || '…'}</English>
        </p>
      )}
    </li>
  );
}

/** Characters of a name that stands beside its chain. */
const longest = 60;

function stateOf({ state, answer }: Chain, { question, settled }: Progress): string {
  const { thinking } = words.value;
  if (state === 'waiting') return thinking.notBegun;
  if (state === 'thinking') return thinking.thinking;
  if (state === 'cut') {
    const isRule = settled !== null && ['exact', 'beta', 'esc'].includes(settled.by);
    return isRule ? thinking.notNeeded : thinking.stoppedHere;
  }
  if (answer === null) return thinking.noAnswer;
  return question ? inShort(answer, question, words.value).slice(0, longest) : answer;
}

function Times({ progress }: { readonly progress: Progress }) {
  const { thinking } = words.value;
  const left = timeLeft(progress, now.value);
  const elapsed = now.value - progress.began;
  if (left !== null) return <span class="time">{thinking.left(left)}</span>;
  return elapsed > 2000 ? <span class="time">{thinking.so(elapsed)}</span> : null;
}
