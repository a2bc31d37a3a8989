import type { SampleEnd, TextToken } from '../../engine/jobs/generation.js';
import type { TokenLogprob } from '../../types.js';
import type { Pieces } from './pieces.js';

/** Log-probabilities of a completion: four lists with an entry a token. */
export interface CompletionLogprobs {
  readonly tokens: string[];
  /** Null where nothing stands before the token. */
  readonly token_logprobs: (number | null)[];
  /** The token itself is always among them. */
  readonly top_logprobs: (Record<string, number> | null)[];
  /** Where each begins, in characters (code points) from the beginning of `text`. */
  readonly text_offset: number[];
}

/** Makes the lists of one choice; the offsets run on from one to the next. */
export class CompletionList {
  #offset = 0;

  constructor(private readonly pieces: Pieces) {}

  /** The text of a prompt begins with a blank less than its tokens where `blank` is set. */
  prompt({ tokens, logprobs, top }: NonNullable<SampleEnd['prompt']>, blank: boolean): CompletionLogprobs {
    const list = empty();
    tokens.forEach((token, i) => {
      this.#add(list, token, i === 0 ? null : logprobs[i - 1]!, i === 0 ? null : (top?.[i - 1] ?? []));
    });
    if (blank) {
      const first = list.tokens.findIndex(
        (name, i) => name.startsWith(' ') && this.pieces.textBytes(tokens[i]!).length > 0,
      );
      if (first >= 0) list.tokens[first] = list.tokens[first]!.slice(1);
      for (let i = first + 1; first >= 0 && i < tokens.length; i++) list.text_offset[i]!--;
      this.#offset--;
    }
    return list;
  }

  sampled(tokens: readonly TextToken[]): CompletionLogprobs {
    const list = empty();
    for (const { token, logprob, top } of tokens) this.#add(list, token, logprob, top);
    return list;
  }

  #add(list: CompletionLogprobs, token: number, logprob: number | null, top: readonly TokenLogprob[] | null): void {
    list.tokens.push(this.pieces.name(token));
    list.token_logprobs.push(logprob);
    list.top_logprobs.push(logprob === null || top === null ? null : byName([...top, { token, logprob }], this.pieces));
    list.text_offset.push(this.#offset);
    for (const byte of this.pieces.textBytes(token)) if ((byte & 0xc0) !== 0x80) this.#offset++;
  }
}

/** Of two tokens with one name the more probable. */
function byName(top: readonly TokenLogprob[], pieces: Pieces): Record<string, number> {
  const names = new Map<string, number>();
  for (const { token, logprob } of top) {
    const name = pieces.name(token);
    names.set(name, Math.max(logprob, names.get(name) ?? -Infinity));
  }
  return Object.fromEntries(names);
}

function empty(): CompletionLogprobs {
  return { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
}

export function joined(lists: readonly CompletionLogprobs[]): CompletionLogprobs {
  return {
    tokens: lists.flatMap(list => list.tokens),
    token_logprobs: lists.flatMap(list => list.token_logprobs),
    top_logprobs: lists.flatMap(list => list.top_logprobs),
    text_offset: lists.flatMap(list => list.text_offset),
  };
}

interface ChatToken {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

/** Log-probabilities of a chat completion. */
export interface ChatLogprobs {
  readonly content: readonly (ChatToken & { readonly top_logprobs: readonly ChatToken[] })[];
  readonly refusal: null;
}

export function chatLogprobs(tokens: readonly TextToken[], pieces: Pieces): ChatLogprobs {
  const shown = ({ token, logprob }: TokenLogprob) => ({
    token: pieces.text(token),
    logprob,
    bytes: [...pieces.bytes(token)],
  });
  return {
    content: tokens.map(each => ({ ...shown(each), top_logprobs: each.top.map(shown) })),
    refusal: null,
  };
}

/** The tokens of a sample with what was most probable in their places. */
export function tokensOf({ tokens, logprobs, top }: SampleEnd, from: number, to: number): TextToken[] {
  return Array.from(tokens.subarray(from, to), (token, i) => ({
    token,
    logprob: logprobs?.[from + i] ?? 0,
    top: top?.[from + i] ?? [],
  }));
}
