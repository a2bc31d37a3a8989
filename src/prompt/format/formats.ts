import { MeditronError, quoted } from '../../check/errors.js';
import { nearest, string } from '../../check/options.js';
import { alpaca } from './alpaca.js';
import { apertus } from './apertus.js';
import { chatml } from './chatml.js';
import { fewShot, raw } from './fewshot.js';
import { type FormatName, formatNames, type PromptFormat, type PromptInput } from './format.js';
import { gemma } from './gemma.js';
import { type JinjaOptions, jinjaFormat, jinjaTraits } from './jinja.js';
import { llama2 } from './llama2.js';
import { llama3, llama31 } from './llama3.js';
import { medical } from './medical.js';
import { mistral } from './mistral.js';
import { olmo } from './olmo.js';
import { oneShot, zeroShot } from './oneshot.js';
import { phi4 } from './phi4.js';
import { pmcLlama } from './pmcllama.js';
import { eurollm, qwen } from './qwen.js';

const published: Readonly<Record<Exclude<FormatName, 'jinja'>, PromptFormat>> = {
  chatml,
  medical,
  raw,
  'few-shot': fewShot,
  'one-shot': oneShot,
  'zero-shot': zeroShot,
  alpaca,
  'llama-2': llama2,
  'llama-3': llama3,
  'llama-3.1': llama31,
  apertus,
  eurollm,
  gemma,
  mistral,
  olmo,
  'phi-4': phi4,
  'pmc-llama': pmcLlama,
  qwen,
};

/** All formats but `jinja`, which needs the model's template. */
export const formats: readonly PromptFormat[] = Object.values(published);

/** What a format has whatever the model: of `jinja` all but what the template says. */
export function traitsOf(name: FormatName): Omit<PromptFormat, 'bos' | 'stops' | 'build'> {
  return name === 'jinja' ? jinjaTraits : published[name];
}

/**
 * The format of a name; case, `-`, `_` and `.` do not matter. `jinja` needs the model file's template. Throws
 * `ERR_PROMPT_FORMAT` with the names there are.
 */
export function formatByName(
  name: string,
  model: { readonly chatTemplate?: string } & JinjaOptions = {},
): PromptFormat {
  const known = formatNameOf(name);
  if (known !== 'jinja') return published[known];
  if (model.chatTemplate !== undefined) return jinjaFormat(model.chatTemplate, model);
  throw new MeditronError('ERR_PROMPT_FORMAT', 'The jinja format needs a chat template, and the model file has none');
}

/** Whether a literal that has the shape of a special token is plain text in a format: one that outside text must not spell either. */
export function isPlain(name: FormatName, literal: string): boolean {
  return traitsOf(name).markers.some(({ pattern, rewrite }) => rewrite !== undefined && literal.search(pattern) >= 0);
}

/** What a format's answer to `input` is where the answer alone is asked for, without the blanks around it: `A`, or `(A)`. */
export function answerText(name: FormatName, input: PromptInput, label: string): string {
  return traitsOf(name).continuation(input, label).trim();
}

/** The format name that was meant. */
export function formatNameOf(name: string): FormatName {
  string('format', name);
  const plain = (text: string) => text.toLowerCase().replace(/[-_. ]/g, '');
  const known = formatNames.find(format => plain(format) === plain(name));
  if (known) return known;
  const near = nearest(name, formatNames);
  throw new MeditronError(
    'ERR_PROMPT_FORMAT',
    `Unknown prompt format ${quoted(name)}; ${near ? `did you mean ${near}? ` : ''}Formats: ${formatNames.join(', ')}`,
  );
}
