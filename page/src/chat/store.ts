import { computed, signal } from '@preact/signals';
import type { ChatRoom, Message, ModelState } from '../../../src/server/meditron/protocol.js';
import { announce } from '../announce.js';
import { type Api, ApiError, type Problem, problemOf } from '../api/api.js';
import type { Draft } from '../ask/draft.js';
import type { Machine } from '../machine.js';
import { paced } from '../paced.js';
import { words } from '../words/words.js';

/** One turn, as far as it has come. */
export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: string;
  /** Of the model's: whether it goes on, and how it ended. */
  readonly end: 'writing' | 'ended' | 'cut' | 'stopped' | 'failed';
}

/** The screen Chat: one conversation, in the model's own format. It is the page's, and goes with it. */
export class ChatStore {
  readonly turns = signal<readonly Turn[]>([]);
  readonly text = signal('');
  readonly problem = signal<Problem | null>(null);
  readonly room = signal<ChatRoom | null>(null);
  readonly isWriting = computed(() => this.turns.value.at(-1)?.end === 'writing');
  readonly #api: Api;
  readonly #machine: Machine;
  readonly #draft: Draft;
  #seed = 0;
  #writing: AbortController | undefined;

  constructor(api: Api, machine: Machine, draft: Draft) {
    this.#api = api;
    this.#machine = machine;
    this.#draft = draft;
  }

  /** As it was chosen under “How it is asked”. */
  get #format(): string | null {
    return this.#draft.settings.value.format;
  }

  get model(): ModelState | undefined {
    return this.#machine.model(this.#draft.settings.value.model);
  }

  /** Says what stands in the box, or a text. */
  async send(text = this.text.value.trim()): Promise<void> {
    if (text === '' || this.isWriting.value) return;
    if (text === this.text.value.trim()) this.text.value = '';
    this.turns.value = [...this.turns.value, { role: 'user', content: text, end: 'ended' }];
    await this.#answer();
  }

  /** The last answer goes on where it broke off. */
  async goOn(): Promise<void> {
    const last = this.turns.value.at(-1);
    if (!last || !goesOn(last)) return;
    this.turns.value = withoutAnswer(this.turns.value);
    await this.#answer(last.content);
  }

  /** The last answer once more, otherwise. */
  async again(): Promise<void> {
    if (this.isWriting.value || this.turns.value.length === 0) return;
    this.#seed++;
    this.turns.value = withoutAnswer(this.turns.value);
    await this.#answer();
  }

  /** Takes the last question and its answer back, into the box. */
  editLast(): void {
    if (this.isWriting.value) return;
    const turns = withoutAnswer(this.turns.value);
    this.text.value = turns.at(-1)?.content ?? '';
    this.turns.value = turns.slice(0, -1);
    this.problem.value = null;
    void this.measure();
  }

  stop(): void {
    this.#writing?.abort();
  }

  clear(): void {
    this.stop();
    this.turns.value = [];
    this.problem.value = null;
    void this.measure();
  }

  /** How much of the context is left. */
  async measure(): Promise<void> {
    const { model } = this;
    if (!model || model.chats === false || this.turns.value.length === 0) {
      this.room.value = null;
      return;
    }
    const said = this.#messages();
    // The model's turn is followed by the person's, which has not been written.
    const messages = said.at(-1)?.role === 'user' ? said : [...said, { role: 'user' as const, content: '…' }];
    try {
      const format = this.#format;
      const body = { model: model.name, messages, ...(format && { format }) };
      this.room.value = await this.#api.post<ChatRoom>('chat/room', body);
    } catch {
      this.room.value = null; // the answer says what is wrong
    }
  }

  /** Behind what it has said already, if it has. */
  async #answer(begun = ''): Promise<void> {
    const { model } = this;
    const isBegun = begun.trim() !== '';
    const messages = [...this.#messages(), ...(isBegun ? [{ role: 'assistant', content: begun }] : [])];
    this.problem.value = null;
    const writing = new AbortController();
    this.#writing = writing;
    let content = isBegun ? begun : '';
    let end: Turn['end'] = 'writing';
    const before = this.turns.value;
    const put = () => {
      this.turns.value = [...before, { role: 'assistant', content, end }];
    };
    // A conversation that was begun anew meanwhile is not this one's.
    const isOurs = () => this.turns.value[before.length - 1] === before.at(-1);
    const show = paced(() => isOurs() && put());
    put();
    announce(words.peek().chat.writing);
    try {
      const body = {
        ...(model && { model: model.name }),
        ...(this.#format && { chat_format: this.#format }),
        ...{ messages, continue_final_message: isBegun, seed: this.#seed, temperature: 0.7 },
      };
      let finish: string | null = null;
      for await (const { choices, error } of this.#api.chat(body, writing.signal)) {
        if (error) throw new ApiError(error, 200);
        content += choices?.[0]?.delta?.content ?? '';
        finish = choices?.[0]?.finish_reason ?? finish;
        show(false);
      }
      end = finish === 'length' ? 'cut' : 'ended';
    } catch (error) {
      end = writing.signal.aborted ? 'stopped' : 'failed';
      if (end === 'failed' && isOurs()) this.problem.value = problemOf(error);
    }
    show.cancel();
    if (!isOurs()) return;
    put();
    announce(words.peek().chat.written);
    void this.measure();
  }

  #messages(): Message[] {
    return this.turns.value
      .filter(({ role, content }) => role === 'user' || content !== '')
      .map(({ role, content }) => ({ role, content }));
  }
}

/** Whether there is more of a turn to be had: it was cut off or stopped, or lost after its first words. */
export function goesOn({ role, content, end }: Turn): boolean {
  return role === 'assistant' && (end === 'cut' || end === 'stopped' || (end === 'failed' && content.trim() !== ''));
}

function withoutAnswer(turns: readonly Turn[]): readonly Turn[] {
  return turns.at(-1)?.role === 'assistant' ? turns.slice(0, -1) : turns;
}
