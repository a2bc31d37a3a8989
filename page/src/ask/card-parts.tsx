import type { Answer, Question } from '../../../src/server/meditron/protocol.js';
import { Dots } from '../parts/dots.js';
import { Disclosure, English } from '../parts/parts.js';
import { language, words, writing } from '../words/words.js';
import { choicesOf, inFull, inShort } from './question.js';
import { type Verdict, type Voice, voicesOf } from './verdict.js';
import { inOwnWords } from './warnings.js';

interface Props {
  readonly answer: Answer;
  readonly question: Question;
}

/** Dots and words: chains by answer, those that named none, and those that were not heard. */
export function Counts({ answer, question }: Props) {
  const t = words.value.answer;
  const { vote } = answer;
  // A list says itself who named what.
  if (!vote || answer.ranking) return null;
  const choices = choicesOf(question, words.value);
  return (
    <ul class="counts">
      {vote.votes.map(({ answer, count, forced }) => (
        <li key={answer}>
          <Dots place={choices.findIndex(({ label }) => label === answer)} count={count} />
          <span>
            {t.says(count, inShort(answer, question, words.value))}
            {forced > 0 && ` (${t.forcedCount(forced)})`}
          </span>
        </li>
      ))}
      {vote.abstained > 0 && (
        <li>
          <Dots place={-1} count={vote.abstained} isOpen />
          <span>{t.noAnswerCount(vote.abstained)}</span>
        </li>
      )}
      {vote.notRun > 0 && (
        <li class="not-run">{isRule(vote.stoppedBy) ? t.notRunCount(vote.notRun) : t.notHeardCount(vote.notRun)}</li>
      )}
    </ul>
  );
}

/** The winner and its dissent side by side, the same size; where chains do not agree, every answer that was given. */
export function Voices({ answer, question, verdict }: Props & { readonly verdict: Verdict }) {
  const t = words.value.answer;
  const voices = voicesOf(answer);
  if (verdict === 'free') return <FreeTexts answer={answer} />;
  if (voices.length === 0) return null;
  const title = ({ answer, count, sample }: Voice, i: number) => {
    const full = inFull(answer, question, words.value);
    if (verdict !== 'agreed') return t.reasonFor(full, sample + 1);
    return i === 0 ? t.why(sample + 1, count) : t.against(full, sample + 1);
  };
  const shown = verdict === 'agreed' ? voices.slice(0, 2) : voices;
  return (
    <div class={`voices ${shown.length > 1 ? 'several' : ''}`}>
      {shown.map((voice, i) => (
        <section key={voice.answer} class="voice">
          <h3>{title(voice, i)}</h3>
          <ModelText text={voice.text} />
        </section>
      ))}
      {verdict === 'agreed' && voices.length === 1 && <p class="hint">{t.noDissent}</p>}
    </div>
  );
}

/** Text of the model: its lines kept, nothing in it is markup. */
export function ModelText({ text }: { readonly text: string }) {
  return (
    <p class="model-text" lang="en" dir="auto">
      {text.trim().replace(/\n{3,}/g, '\n\n')}
    </p>
  );
}

function FreeTexts({ answer }: { readonly answer: Answer }) {
  const { thinking } = words.value;
  const texts = [...answer.samples, ...answer.cut].sort((a, b) => a.index - b.index);
  return (
    <div class="voices">
      {texts.map(({ index, text }) => (
        <section key={index} class="voice">
          {texts.length > 1 && <h3>{thinking.chain(index + 1)}</h3>}
          <ModelText text={text} />
        </section>
      ))}
    </div>
  );
}

/** What lists name together, each with how many name it and where. */
export function Ranking({ ranking }: { readonly ranking: NonNullable<Answer['ranking']> }) {
  const t = words.value.answer;
  return (
    <ol class="ranking">
      {ranking.items.map(item => (
        <li key={item.name}>
          <b lang="en" dir="auto">
            {item.name}
          </b>{' '}
          <span class="hint">
            {t.named(item.named, item.of)}
            {writing.value.comma}
            {t.places(item.mentions.map(({ rank }) => rank))}
          </span>
          {item.merged.length > 1 && (
            <span class="hint" lang="en" dir="auto">
              ({item.merged.join(' = ')})
            </span>
          )}
        </li>
      ))}
    </ol>
  );
}

/** The merged list: who named what, and where. */
export function Lists({ answer }: { readonly answer: Answer }) {
  const t = words.value.answer;
  const { thinking } = words.value;
  const { ranking, samples } = answer;
  if (!ranking) return null;
  return (
    <>
      <Ranking ranking={ranking} />
      {ranking.withoutList > 0 && <p>{t.withoutList(ranking.withoutList)}</p>}
      <Disclosure title={t.lists}>
        <div class="voices several">
          {samples.map(({ index, list }) => (
            <section key={index} class="voice">
              <h3>{thinking.chain(index + 1)}</h3>
              <ol lang="en" dir="auto">
                {(list ?? []).map((name, i) => (
                  <li key={i}>{name}</li>
                ))}
              </ol>
            </section>
          ))}
        </div>
      </Disclosure>
    </>
  );
}

/** What limits the answer, and what was changed before the model saw the text. */
export function Notes({ warnings, findings }: Pick<Answer, 'warnings' | 'findings'>) {
  const { answer: t, cleaned, shell } = words.value;
  if (warnings.length === 0 && findings.length === 0) return null;
  const all = warnings.map(warning => ({ warning, said: inOwnWords(warning, words.value) }));
  const [ours, theirs] = [all.filter(({ said }) => said !== null), all.filter(({ said }) => said === null)];
  return (
    <section class="notes">
      {warnings.length > 0 && (
        <>
          <h3>{t.warnings}</h3>
          {ours.length > 0 && (
            <ul>
              {ours.map(({ said, warning }) => (
                <li key={warning}>{said}</li>
              ))}
            </ul>
          )}
          {theirs.length > 0 && language.value !== 'en' && <p class="hint">{shell.english}</p>}
          {theirs.length > 0 && (
            <ul lang="en" dir="ltr">
              {theirs.map(({ warning }) => (
                <li key={warning}>{warning}</li>
              ))}
            </ul>
          )}
        </>
      )}
      {findings.length > 0 && (
        <>
          <h3>{t.findings}</h3>
          <ul>
            {findings.map(({ where, kind, detail, count }) => (
              <li key={`${where} ${kind}`}>
                {cleaned[kind]} ({count}){writing.value.colon}
                <English>{detail}</English>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

interface ChainsProps {
  readonly chains: Answer['samples'];
  readonly cut: Answer['cut'];
  readonly stoppedBy: string;
  readonly question: Question;
}

/** Every chain whole, with how it ended. */
export function AllChains({ chains, cut, stoppedBy, question }: ChainsProps) {
  const { answer: t, thinking, unverified } = words.value;
  const said = (letter: string | null) => (letter === null ? thinking.noAnswer : inFull(letter, question, words.value));
  const all = [
    ...chains.map(({ index, seed, text, answer: letter, finish, tokenCount, forced, conflict }) => {
      const ended = [t.chainEnd[finish], t.tokens(tokenCount)];
      const limits = [...(forced ? [thinking.askedAgain] : []), ...(conflict ? [t.conflict] : [])];
      return { index, text, head: said(letter), facts: [t.seed(seed), ...ended, ...limits] };
    }),
    ...cut.map(({ index, seed, text }) => ({
      index,
      text,
      head: isRule(stoppedBy) ? thinking.notNeeded : thinking.stoppedHere,
      facts: [t.seed(seed)],
    })),
  ].sort((a, b) => a.index - b.index);
  return (
    <>
      <p class="hint">{unverified}</p>
      <ol class="all-chains">
        {all.map(({ index, text, head, facts }) => (
          <li key={index}>
            <h3>
              {thinking.chain(index + 1)}
              {writing.value.colon}
              <bdi>{head}</bdi>
            </h3>
            <p class="hint">{facts.join(writing.value.comma)}</p>
            <ModelText text={text} />
          </li>
        ))}
      </ol>
    </>
  );
}

/** Whether a rule closed the vote: what had not run was not needed. */
function isRule(stoppedBy: string): boolean {
  return ['exact', 'beta', 'esc'].includes(stoppedBy);
}
