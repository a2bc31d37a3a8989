import { type Header, recognised } from '../../models/header.js';
import type { Inspection } from '../../models/inspect.js';
import type { FormatChoice } from '../../models/known.js';
import type { ModelFacts } from '../../models/registry.js';
import { oneLine } from '../terminal/plain.js';
import type { Row } from '../terminal/table.js';

/** What is known of a model file. */
export interface Known {
  /** How it is asked, and how that is known; null if it is not: then `refusal` says why. */
  readonly format: FormatChoice | null;
  readonly refusal: string | null;
  /** What is published of it. */
  readonly facts: ModelFacts | null;
  /** As its file says, else as it is published. */
  readonly licence: string | null;
  /** Trained context as the file says. */
  readonly contextLength: number | null;
}

/** `sha256`: of the file, where it is known. */
export function knownOf(header: Header, sha256: string | null): Known {
  const { choice, refusal, facts } = recognised(header, sha256);
  const { contextLength, licence } = header;
  return {
    ...{ format: choice ?? null, refusal: refusal ?? null, facts, contextLength },
    licence: licence ?? facts?.licence ?? null,
  };
}

/** All of it in words: which model it is and how that is known, what is published of it, and what speaks against it. */
export function knownRows({ format, refusal, facts, licence, contextLength }: Known): Row[] {
  return [
    ['is', format?.model ?? facts?.title ?? 'not known'],
    ...titled('known by', format?.reasons ?? []),
    ...titled('asked as', format ? [`${format.format} (${format.source})`] : []),
    ...(facts ? factRows(facts, { licence, contextLength }) : titled('licence', [licence ?? 'not known'])),
    ...titled('but', [...(format?.warnings ?? []), ...(refusal === null ? [] : [refusal])]),
  ];
}

/** What is published of a model, beside what its file says where there is one. */
export function factRows(
  facts: ModelFacts,
  { licence, contextLength }: Partial<Pick<Known, 'licence' | 'contextLength'>> = {},
): Row[] {
  const { repository, sampling, trainedContext, unknown } = facts;
  return [
    ['made from', facts.base],
    ['trained for', facts.trainedFor],
    ['trained on', trainedContext === null ? 'not known' : trainedInWords(trainedContext, contextLength ?? null)],
    [
      'sampled',
      sampling
        ? `temperature ${sampling.temperature}${sampling.maxTokens ? `, up to ${sampling.maxTokens} tokens` : ''} (${sampling.source})`
        : 'not known',
    ],
    ['licence', oneLine(licence ?? facts.licence)],
    ['weights', repository === null ? 'with this program' : `Hugging Face ${repository}`],
    ...titled('not known', unknown),
  ];
}

/** The context that a model was trained on, and the file's where that is larger. */
export function trainedInWords(
  { tokens, source }: NonNullable<ModelFacts['trainedContext']>,
  contextLength: number | null,
): string {
  const more =
    contextLength === null || contextLength <= tokens
      ? ''
      : `; its file says ${contextLength.toLocaleString('en')}: what lies beyond the trained ones is worth less`;
  return `${tokens.toLocaleString('en')} tokens at once (${source})${more}`;
}

/** The context as a file gives it, and how much of it every layer sees. */
export function contextInWords({ contextLength, slidingWindow }: Inspection): string {
  if (contextLength === null) return 'not given';
  const window =
    slidingWindow === null || slidingWindow >= contextLength
      ? ''
      : `, of which some layers see the last ${slidingWindow.toLocaleString('en')}`;
  return `${contextLength.toLocaleString('en')} tokens${window}`;
}

/** Lines under one title. */
export function titled(title: string, lines: readonly string[]): Row[] {
  return lines.map((line, i) => [i === 0 ? title : '', oneLine(line)]);
}
