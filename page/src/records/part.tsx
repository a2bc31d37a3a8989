import type { PartialRecord } from '../../../src/server/meditron/protocol.js';
import { Version } from '../ask/howasked.js';
import { PartOfVote } from '../ask/part.js';
import { English, Facts } from '../parts/parts.js';
import { words } from '../words/words.js';
import { Asked } from './recorded.js';
import type { RecordsStore } from './store.js';

/** What was heard of a vote that was lost. */
export function Part({ store, part }: { readonly store: RecordsStore; readonly part: PartialRecord }) {
  const { records: t, answer: a, how } = words.value;
  const { model, question, meditron, created } = part;
  return (
    <article class="panel record">
      <Asked question={question} owner={part} />
      <h2>{a.from}</h2>
      <p class="why-not">{t.part}</p>
      <PartOfVote part={part} />
      <Facts
        rows={[
          [how.model, <English>{model?.name ?? '–'}</English>],
          [
            how.hash,
            <span class="hash" dir="ltr">
              {model?.sha256 ?? how.hashUnknown}
            </span>,
          ],
          [how.version, <Version of={meditron ?? '–'} created={created} />],
        ]}
      />
      <div class="actions">
        <button type="button" onClick={() => store.close()}>
          {t.close}
        </button>
      </div>
    </article>
  );
}
