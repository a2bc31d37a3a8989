import { Hono } from 'hono';
import { roomForAnswer } from '../../ask/chat.js';
import { MeditronError, optionError } from '../../check/errors.js';
import type { SampleEnd, TextToken } from '../../engine/jobs/generation.js';
import type { TokenizeOptions } from '../../engine/jobs/options.js';
import type { Model } from '../../engine/model.js';
import type { Pool, Use } from '../pool/pool.js';
import { preferenceOf } from '../prefer.js';
import { headOf, reasonOf, usageOf } from './answer.js';
import { checkedIds } from './ids.js';
import { CompletionList, type CompletionLogprobs, joined, tokensOf } from './logprobs.js';
import { type Pieces, piecesOf } from './pieces.js';
import { type CompletionRequest, completionSchema, received } from './request.js';
import { type ChoiceEvent, clientLeft, type SamplesOptions, samplesOf } from './samples.js';
import { sampledOf } from './sampling.js';
import { streamed } from './stream.js';

const mostPrompts = 1024;

/** `POST /v1/completions`. */
export function completionRoutes(pool: Pool): Hono {
  return new Hono().post('/v1/completions', async c => {
    const { request } = await received(c, completionSchema);
    checkRequest(request);
    if (request.stream)
      return streamed(c, signal => chunksOf(pool.use(request.model, signal, preferenceOf(c)), request, signal));
    const { signal } = c.req.raw;
    await using use = await pool.use(request.model, signal, preferenceOf(c));
    return c.json(await answerOf(use, request, signal));
  });
}

function checkRequest({ suffix, best_of, n, max_tokens, echo, prompt }: CompletionRequest): void {
  if (suffix) throw optionError('suffix', 'left out: nothing is inserted before a given end here', suffix);
  if (best_of !== undefined && best_of !== 1 && best_of !== n)
    throw optionError('best_of', 'left out, 1, or as `n`: every sample is returned', best_of);
  if (max_tokens === 0 && !echo)
    throw optionError('max_tokens', 'at least 1 where the prompt is not echoed', max_tokens);
  const prompts = Array.isArray(prompt) && !isIds(prompt) ? prompt : [prompt];
  if (Array.isArray(prompt) && prompt.length === 0) throw noTokens();
  if (prompts.length > mostPrompts) throw optionError('prompt', `at most ${mostPrompts} prompts`, prompts);
}

/** A prompt, and what is echoed of it. */
interface Prompted {
  readonly tokens: Int32Array;
  readonly text: string;
  /** The tokens begin with a blank that the text has not. */
  readonly blank: boolean;
}

/** A request on its way: its prompts in tokens, and how the engine is asked. */
class Work {
  readonly #lists = new Map<number, CompletionList>();

  private constructor(
    private readonly use: Use,
    private readonly request: CompletionRequest,
    readonly prompts: readonly Prompted[],
    private readonly pieces: Pieces | undefined,
  ) {}

  static async of(use: Use, request: CompletionRequest, signal: AbortSignal): Promise<Work> {
    const pieces = request.logprobs !== undefined || request.echo ? await piecesOf(use.model) : undefined;
    const bos = request.add_special_tokens ? 'auto' : 'never';
    const limit = use.engine.settings.sequenceSize;
    const prompts = await Promise.all(
      promptsOf(request.prompt, use.model).map(prompt =>
        prompted(use.model, prompt, pieces, { bos, maxTokens: limit, signal }),
      ),
    );
    return new Work(use, request, prompts, pieces);
  }

  /** Log-probabilities of a prompt come with the sampling of one sample. */
  get #scores(): boolean {
    return this.request.echo && this.request.logprobs !== undefined;
  }

  events(signal: AbortSignal): AsyncGenerator<ChoiceEvent, void, void> {
    const { max_tokens, logprobs, n } = this.request;
    const { engine } = this.use;
    const sampled = sampledOf(this.request, engine);
    const tokens = this.prompts.map(prompt => prompt.tokens);
    const longest = Math.max(...tokens.map(({ length }) => length));
    const maxTokens = max_tokens === -1 ? roomForAnswer(engine.settings, longest, n) : Math.max(1, max_tokens);
    const options = { ...sampled, maxTokens, topLogprobs: logprobs };
    if (!this.#scores) return samplesOf(engine, tokens, options, signal);
    return this.#scored(tokens, options, signal);
  }

  /** One prompt after the other. Where more than one token of one sample is wanted the prompt is evaluated a second time for it, in the batch of all. */
  async *#scored(
    tokens: readonly Int32Array[],
    options: SamplesOptions,
    signal: AbortSignal,
  ): AsyncGenerator<ChoiceEvent, void, void> {
    const { engine, scorer } = this.use;
    const { n } = this.request;
    const scored = n === 1 && options.maxTokens === 1 ? options : { topLogprobs: options.topLogprobs, maxTokens: 1 };
    const scores: SampleEnd[] = [];
    for (const prompt of tokens) {
      const score = await scorer.score({ ...scored, prompt, signal }).catch(error => {
        throw signal.aborted ? clientLeft(error) : error;
      });
      if (scores.push(score) === 1) yield { type: 'begun' };
      if (scored === options) yield { ...score, index: scores.length - 1 };
    }
    if (scored === options) return;
    for await (const event of samplesOf(engine, tokens, options, signal)) {
      if (event.type === 'end') yield { ...event, prompt: scores[Math.floor(event.index / n)]!.prompt };
      else yield event;
    }
  }

  prompt(index: number): Prompted {
    return this.prompts[Math.floor(index / this.request.n)]!;
  }

  get promptTokens(): number {
    return this.prompts.reduce((sum, { tokens }) => sum + tokens.length, 0);
  }

  /** Tokens that count as sampled: with `max_tokens` 0 one is, and dropped. */
  sampledIn({ tokens }: Pick<SampleEnd, 'tokens'>): number {
    return this.request.max_tokens === 0 ? 0 : tokens.length;
  }

  list(index: number): CompletionList {
    const list = this.#lists.get(index) ?? new CompletionList(this.pieces!);
    this.#lists.set(index, list);
    return list;
  }

  /** Log-probabilities of the tokens of a sample from `from` on, the token that ended it included; of the prompt first, if it is echoed. */
  logprobsOf(event: ChoiceEvent & { readonly type: 'end' }, from: number): CompletionLogprobs | null {
    if (this.request.logprobs === undefined) return null;
    const list = this.list(event.index);
    const prompt = this.#scores && from === 0 ? [list.prompt(event.prompt!, this.prompt(event.index).blank)] : [];
    const to = event.finish === 'stop' ? event.textTokens : event.tokens.length;
    const tokens = this.request.max_tokens === 0 ? [] : tokensOf({ ...event, sample: 0 }, from, to);
    return joined([...prompt, list.sampled(tokens)]);
  }

  finishOf(event: Pick<SampleEnd, 'finish'>): 'stop' | 'length' {
    return this.request.max_tokens === 0 ? 'length' : reasonOf(event.finish);
  }
}

async function answerOf(use: Use, request: CompletionRequest, signal: AbortSignal): Promise<object> {
  const work = await Work.of(use, request, signal);
  const choices: object[] = [];
  let sampled = 0;
  for await (const event of work.events(signal)) {
    if (event.type !== 'end') continue;
    sampled += work.sampledIn(event);
    const text = request.max_tokens === 0 ? '' : event.text;
    choices[event.index] = {
      text: request.echo ? `${work.prompt(event.index).text}${text}` : text,
      index: event.index,
      logprobs: work.logprobsOf(event, 0),
      finish_reason: work.finishOf(event),
    };
  }
  return {
    ...headOf('cmpl', 'text_completion', use.name, use.engine),
    choices,
    usage: usageOf(work.promptTokens, sampled),
  };
}

async function* chunksOf(
  coming: Promise<Use>,
  request: CompletionRequest,
  signal: AbortSignal,
): AsyncGenerator<object, void, void> {
  await using use = await coming;
  const work = await Work.of(use, request, signal);
  const head = headOf('cmpl', 'text_completion', use.name, use.engine);
  const withUsage = request.stream_options?.include_usage ?? false;
  const chunk = (index: number, text: string, logprobs: CompletionLogprobs | null, finish: string | null) => ({
    ...head,
    choices: [{ text, index, logprobs, finish_reason: finish }],
    ...(withUsage && { usage: null }),
  });
  // What an echoed prompt's log-probabilities are is known when its sample has ended: then all of it comes at once.
  const whole = request.echo && (request.logprobs !== undefined || request.max_tokens === 0);
  const told = new Map<number, number>(); // tokens whose log-probabilities have been sent
  const echoed = new Set<number>();
  const echo = (index: number) => {
    if (!request.echo || echoed.has(index)) return '';
    echoed.add(index);
    return work.prompt(index).text;
  };
  let sampled = 0;
  for await (const event of work.events(signal)) {
    if (event.type === 'text' && !whole) {
      const tokens: readonly TextToken[] = event.tokens ?? [];
      told.set(event.index, (told.get(event.index) ?? 0) + tokens.length);
      const logprobs = request.logprobs === undefined ? null : work.list(event.index).sampled(tokens);
      yield chunk(event.index, echo(event.index) + event.text, logprobs, null);
    } else if (event.type === 'end') {
      sampled += work.sampledIn(event);
      const text = whole && request.max_tokens !== 0 ? event.text : '';
      const logprobs = work.logprobsOf(event, told.get(event.index) ?? 0);
      yield chunk(event.index, echo(event.index) + text, logprobs, work.finishOf(event));
    }
  }
  if (withUsage) yield { ...head, choices: [], usage: usageOf(work.promptTokens, sampled) };
}

/** One prompt, or a batch of them. */
function promptsOf(given: CompletionRequest['prompt'], model: Model): (string | Int32Array)[] {
  const idsOf = (ids: readonly number[]) => Int32Array.from(checkedIds('prompt', ids, model));
  if (typeof given === 'string') return [given];
  if (isIds(given)) return [idsOf(given)];
  return given.map(each => {
    if (typeof each === 'string') return each;
    if (Array.isArray(each)) return idsOf(each);
    throw optionError('prompt', 'all texts, all token ids, or all arrays of token ids', given);
  });
}

function isIds(prompts: readonly unknown[]): prompts is number[] {
  return prompts.every(each => typeof each === 'number');
}

function noTokens(): MeditronError {
  return new MeditronError('ERR_OPTION', 'Expected `prompt` to be at least one token, got none');
}

async function prompted(
  model: Model,
  prompt: string | Int32Array,
  pieces: Pieces | undefined,
  options: TokenizeOptions,
): Promise<Prompted> {
  const tokens = typeof prompt === 'string' ? await model.tokenize(prompt, options) : prompt;
  if (tokens.length === 0) throw noTokens();
  if (!pieces) return { tokens, text: '', blank: false };
  const spelled = pieces.textOf(tokens);
  const text = typeof prompt === 'string' ? prompt : beginsRun(tokens, model) ? spelled.replace(/^ /, '') : spelled;
  return { tokens, text, blank: spelled === ` ${text}` };
}

/** SentencePiece puts a blank before the text that follows the token that begins it. */
function beginsRun([first]: Int32Array, { info }: Model): boolean {
  return first !== undefined && first === info.bos && info.vocabulary.model === 'llama';
}
