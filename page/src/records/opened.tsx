import type { RecordCheck, Whereabouts } from '../../../src/server/meditron/protocol.js';
import { ended } from '../ask/progress.js';
import { English } from '../parts/parts.js';
import { words, writing } from '../words/words.js';
import { PanelResult, questionOf } from './panel.js';
import { Asked, ChainsAndFacts, Contradicted, Result } from './recorded.js';
import { Replayed } from './replayed.js';
import type { Check, RecordsStore } from './store.js';

interface Props {
  readonly store: RecordsStore;
  readonly check: Check;
}

/** A record of one model or of a panel: what was asked, what came, and that it can be run again. */
export function Opened({ store, check }: Props) {
  const { answer: a } = words.value;
  const replay = store.replay.value;
  return (
    <article class="panel record">
      {'panel' in check ? (
        <>
          <Asked question={questionOf(check.panel)} owner={check} />
          <Contradicted by={check.contradiction} />
          <PanelResult panel={check.panel} />
        </>
      ) : (
        <>
          <Asked question={check.evidence.question} owner={check} />
          <h2>{a.from}</h2>
          <Result evidence={check.evidence} />
          <Contradicted by={check.contradiction} />
          <ChainsAndFacts evidence={check.evidence} />
        </>
      )}
      <Again store={store} check={check} />
      {replay && <Replayed replay={replay} />}
    </article>
  );
}

/** What it is run again with, and how far that has come. */
function Again({ store, check }: Props) {
  const { records: t, answer: a, thinking } = words.value;
  const again = store.again.value;
  const missing = 'panel' in check ? missingOf(check) : [];
  return (
    <>
      {'panel' in check ? <PanelModels check={check} missing={missing} /> : <Model check={check} />}
      {again ? (
        <div class="actions" role="status">
          <span>
            {t.running} {again.name !== null && <bdi>{again.name}</bdi>}{' '}
            {again.progress.plan && thinking.answered(ended(again.progress), again.progress.plan.samples)}
          </span>
          <button type="button" class="small" onClick={() => store.stop()}>
            {thinking.stop}
          </button>
        </div>
      ) : (
        <div class="actions">
          {missing.length === 0 && (
            <button type="button" class="primary" onClick={() => void store.runAgain()}>
              {t.again}
            </button>
          )}
          <button type="button" onClick={() => print()}>
            {a.print}
          </button>
          <button type="button" onClick={() => store.close()}>
            {t.close}
          </button>
        </div>
      )}
    </>
  );
}

function Model({ check: { model, sameFile } }: { readonly check: RecordCheck }) {
  const { records: t } = words.value;
  return <p class="hint">{model === null ? t.noModel : sameFile === false ? t.otherFile : t.with([model])}</p>;
}

type PanelOpened = Extract<Check, { readonly panel: unknown }>;

function PanelModels({ check, missing }: { readonly check: PanelOpened; readonly missing: readonly string[] }) {
  const { records: t } = words.value;
  if (missing.length > 0) return <p class="why-not">{t.missing(missing)}</p>;
  const models = check.members.flatMap(({ model }, i) => (check.panel.members[i]!.evidence && model ? [model] : []));
  const others = check.members.flatMap(({ model, sameFile }) => (model && sameFile === false ? [model] : []));
  return (
    <>
      {models.length > 0 && <p class="hint">{t.with(models)}</p>}
      {others.map(model => (
        <p key={model} class="hint">
          <English>{model}</English>
          {writing.value.colon}
          {t.otherFile}
        </p>
      ))}
    </>
  );
}

/** Files of models that answered and are not here. */
function missingOf({ panel, members }: PanelOpened): string[] {
  return panel.members.flatMap(({ evidence, file }, i) => (evidence && isGone(members[i]) ? [file] : []));
}

function isGone(at: Whereabouts | undefined): boolean {
  return at?.model == null;
}
