import type { PanelReplay, Replay } from '../../../src/server/meditron/protocol.js';
import { English, focusOnce } from '../parts/parts.js';
import { words, writing } from '../words/words.js';

/** What running a record again came to. */
export function Replayed({ replay }: { readonly replay: Replay | PanelReplay }) {
  const { records: t } = words.value;
  return (
    <section class={`replay ${replay.same ? 'same' : 'differs'}`}>
      <h3 tabindex={-1} ref={focusOnce(replay)}>
        {replay.same ? t.same : t.differs}
      </h3>
      {!replay.same && (
        <p>
          {t.parts}
          {writing.value.colon}
          <English>{replay.summary}</English>
        </p>
      )}
      {replay.environment.length > 0 && (
        <>
          <p>
            {t.changes}
            {writing.value.colon}
          </p>
          <ul lang="en" dir="ltr">
            {replay.environment.map(change => (
              <li key={change}>{change}</li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
