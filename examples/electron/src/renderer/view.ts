import type { Asked, Failure, ModelFacts, Progress, Shown } from '../shared.js';
import { answered, countInWords, headline, leaders, othersInWords } from './words.js';

type Vote = Extract<Progress, { type: 'vote' }>;

/** The page. Texts go in as text, never as markup. */
export class View {
  readonly form = get('form', HTMLFormElement);
  readonly text = get('text', HTMLTextAreaElement);
  readonly samples = get('samples', HTMLSelectElement);
  readonly ask = get('ask', HTMLButtonElement);
  readonly stop = get('stop', HTMLButtonElement);
  readonly #result = get('result', HTMLElement);
  readonly #verdict = get('verdict', HTMLElement);
  readonly #summary = get('summary', HTMLElement);
  readonly #options = get('options', HTMLElement);
  readonly #chains = get('samples-list', HTMLElement);
  readonly #error = get('error', HTMLElement);
  #asked: Asked | undefined;
  /** The warnings of the model, which every question repeats. */
  #ofModel: readonly string[] = [];

  loaded({ name, devices, warnings }: ModelFacts): void {
    get('model', HTMLElement).textContent = `${name}, on this computer (${devices.join(', ')}), offline`;
    this.#ofModel = warnings;
  }

  notLoaded(error: Failure): void {
    get('model', HTMLElement).textContent = 'No model';
    this.#show(error);
  }

  begin(): void {
    this.#asked = undefined;
    this.#error.hidden = true;
    this.#result.hidden = true;
    this.ask.disabled = true;
    this.stop.disabled = false;
  }

  /** The question as it was read, with no votes yet. */
  asked(asked: Asked): void {
    this.#asked = asked;
    this.#result.hidden = false;
    delete this.#result.dataset.decision;
    this.#verdict.textContent = 'Asking …';
    this.#summary.textContent = '';
    get('question', HTMLElement).textContent = asked.question;
    get('reasons', HTMLElement).replaceChildren();
    get('notice', HTMLElement).textContent = '';
    get('others', HTMLElement).textContent = '';
    this.#chains.replaceChildren(...Array.from({ length: asked.samples }, () => item('')));
    this.#notes(asked.findings);
    this.#votes({}, asked.samples);
  }

  progress(event: Progress): void {
    if (event.type === 'waiting') this.#verdict.textContent = 'Waiting for the question in another window …';
    if (event.type === 'begun') this.#verdict.textContent = 'Reading the question …';
    if (event.type === 'text') {
      this.#verdict.textContent = 'Thinking …';
      this.#chains.children[event.sample]?.append(event.text);
    }
    if (event.type === 'vote') this.#voted(event);
  }

  stopping(): void {
    this.stop.disabled = true;
    this.#verdict.textContent = 'Stopping …';
  }

  answer(answer: Shown): void {
    this.#rest();
    this.#result.dataset.decision = answer.decision ?? 'none';
    this.#verdict.textContent = headline(answer, this.#asked?.options ?? []);
    this.#summary.textContent = answer.summary;
    this.#votes(answer.votes, this.#asked?.samples ?? 0);
    get('others', HTMLElement).textContent = othersInWords(answer.votes);
    this.#notes([...(this.#asked?.findings ?? []), ...answer.warnings]);
    this.#reasons(answer);
    for (const { index, text } of answer.samples) this.#chains.children[index]!.textContent = text.trim();
    get('notice', HTMLElement).textContent = answer.notice;
    this.#verdict.focus();
  }

  failed(error: Failure): void {
    this.#rest();
    if (this.#asked) {
      this.#result.dataset.decision = 'abstain';
      this.#verdict.textContent = 'No answer';
      this.#summary.textContent = '';
    }
    this.#show(error);
  }

  #rest(): void {
    this.ask.disabled = false;
    this.stop.disabled = true;
  }

  #show({ code, message }: Failure): void {
    this.#error.textContent = `${message} (${code})`;
    this.#error.hidden = false;
  }

  #voted({ tally }: Vote): void {
    const { samples } = this.#asked!;
    this.#votes(tally, samples);
    this.#summary.textContent = answered(tally, samples);
    get('others', HTMLElement).textContent = othersInWords({ ...tally, notRun: 0 });
  }

  /** Dots for the eye, words for everybody. */
  #votes(votes: Readonly<Record<string, number>>, samples: number): void {
    const ahead = leaders(votes, this.#asked?.options ?? []);
    this.#options.replaceChildren(
      ...(this.#asked?.options ?? []).map(({ label, text }) => {
        const given = votes[label] ?? 0;
        const dots = element('span', 'dots');
        dots.ariaHidden = 'true';
        for (let i = 0; i < samples; i++) dots.append(element('i', i < given ? 'given' : 'open'));
        const line = document.createElement('li');
        line.append(
          element('span', 'label', label),
          element('span', ahead.includes(label) ? 'leading' : '', text),
          dots,
          element('span', 'count', countInWords(given, samples)),
        );
        return line;
      }),
    );
  }

  #notes(notes: readonly string[]): void {
    get('notes', HTMLElement).replaceChildren(...[...new Set([...this.#ofModel, ...notes])].map(item));
  }

  /** The reasons for the winner, and the strongest against it beside them. */
  #reasons({ rationale, dissent }: Shown): void {
    const article = (title: string, text: string) => {
      const made = document.createElement('article');
      made.append(element('h3', '', title), element('p', 'written', text.trim()));
      return made;
    };
    const made: HTMLElement[] = [];
    if (rationale) made.push(article(`Why ${rationale.answer}, in sample ${rationale.sample + 1}`, rationale.text));
    if (dissent) made.push(article(`Dissent: why ${dissent.answer}, in sample ${dissent.sample + 1}`, dissent.text));
    get('reasons', HTMLElement).replaceChildren(...made);
  }
}

function item(text: string): HTMLLIElement {
  const made = document.createElement('li');
  made.className = 'written';
  made.textContent = text;
  return made;
}

function element(name: string, className: string, text = ''): HTMLElement {
  const made = document.createElement(name);
  if (className !== '') made.className = className;
  made.textContent = text;
  return made;
}

function get<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${id}`);
  return found;
}
