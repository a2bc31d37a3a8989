import { ModelText } from '../ask/card-parts.js';
import { Failed } from '../parts/parts.js';
import { words } from '../words/words.js';
import { type ChatStore, goesOn, type Turn } from './store.js';

/** A conversation: turns as paragraphs with a rule between, the model's in its own letter. */
export function ChatScreen({ store }: { readonly store: ChatStore }) {
  const { chat: t, shell } = words.value;
  const { model, room, problem, turns } = store;
  const isWriting = store.isWriting.value;
  const last = turns.value.at(-1);
  const isFull = room.value?.words === 0;
  return (
    <>
      <h1>{t.title}</h1>
      {model?.demonstration && <p class="badge">{shell.demonstrationLong}</p>}
      {model?.chats === false ? (
        <div class="why-not">
          <p>{t.noFormat(model.name)}</p>
          <p>
            <a href="#/ask">{t.toAsk}</a>
          </p>
        </div>
      ) : (
        <>
          <p class="hint">{turns.value.length === 0 ? t.empty : t.unverifiedOnce}</p>
          <ol class="turns">
            {turns.value.map((turn, i) => (
              <TurnText key={i} turn={turn} />
            ))}
          </ol>
          {problem.value && (
            <Failed problem={problem.value} {...(problem.value.code === 'ERR_CONTEXT_FULL' && { what: t.full })} />
          )}
          {last && (
            // One place for what can be done, so that the keyboard finds the next thing where it used the last.
            <div class="actions">
              {isWriting ? (
                <button key="stop" type="button" class="stop" onClick={() => store.stop()}>
                  {t.stop} <kbd>Esc</kbd>
                </button>
              ) : (
                <>
                  {goesOn(last) && !isFull && (
                    <button key="go-on" type="button" class="small" onClick={() => void store.goOn()}>
                      {t.goOn}
                    </button>
                  )}
                  <button key="again" type="button" class="small" onClick={() => void store.again()}>
                    {t.otherSeed}
                  </button>
                  <button key="edit" type="button" class="small" onClick={() => store.editLast()}>
                    {t.editLast}
                  </button>
                  <button key="clear" type="button" class="small" onClick={() => store.clear()}>
                    {t.clear}
                  </button>
                </>
              )}
            </div>
          )}
          <form
            class="composer"
            onSubmit={event => {
              event.preventDefault();
              void store.send();
            }}
          >
            <label class="big" for="message">
              {t.label}
            </label>
            <textarea
              id="message"
              rows={4}
              dir="auto"
              spellcheck={false}
              autocomplete="off"
              value={store.text.value}
              onInput={event => {
                store.text.value = event.currentTarget.value;
              }}
            />
            <div class="actions">
              <button type="submit" class="primary">
                {t.send}
              </button>
              <kbd class="shortcut">Ctrl+Enter</kbd>
              {room.value && (
                <span class="room">
                  <meter
                    min={0}
                    max={room.value.context}
                    value={room.value.left}
                    aria-label={t.room(room.value.words)}
                  />
                  <span>{isFull ? t.full : t.room(room.value.words)}</span>
                </span>
              )}
            </div>
          </form>
          <p class="notice">{words.value.notice}</p>
        </>
      )}
    </>
  );
}

function TurnText({ turn: { role, content, end } }: { readonly turn: Turn }) {
  const { chat: t, thinking } = words.value;
  return (
    <li class={`turn ${role}`}>
      <h2>{role === 'user' ? t.you : t.model}</h2>
      {role === 'user' ? (
        <p class="text" dir="auto">
          {content}
        </p>
      ) : (
        <>
          <ModelText text={content} />
          {end !== 'ended' && (
            <p class="hint">{{ writing: thinking.thinking, cut: t.cut, stopped: t.stopped, failed: t.stopped }[end]}</p>
          )}
        </>
      )}
    </li>
  );
}
