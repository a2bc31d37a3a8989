import type { Ask, AskOptions } from './options.js';

/** Options that were given and change nothing the way this question is asked, in words. */
export function withoutMeaning(options: AskOptions, { mode, samples, temperature }: Ask): string[] {
  const { topP = 1, topK = 0, stop, reask, maxTokens, width, minAgreement, items } = options;
  const stops = stop !== undefined && (typeof stop === 'string' ? stop : stop.rule) !== 'none';
  const direct = mode === 'top-token';
  const said = (name: keyof AskOptions, given: boolean, where: string) =>
    given ? [`\`${name}\` has no meaning ${where}`] : [];
  const inMode = `in mode ${mode}`;
  return [
    ...said('topP', topP < 1 && temperature === 0, 'where the most probable token is taken'),
    ...said('topK', topK > 0 && temperature === 0, 'where the most probable token is taken'),
    ...said('maxTokens', maxTokens !== undefined && direct, inMode),
    ...said('stop', stops && mode !== 'sc-cot', inMode),
    ...said('reask', reask === true && mode !== 'cot' && mode !== 'sc-cot', inMode),
    ...said('minAgreement', minAgreement !== undefined && mode === 'free', inMode),
    ...said('width', width !== undefined && width > samples, `beyond the number of samples, ${samples}`),
    ...said('items', items !== undefined && mode !== 'ranked', inMode),
  ];
}
