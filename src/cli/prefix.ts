import { type KeptBeginning, keptBeginning, tooShortToKeep } from '../answerer/kept.js';
import type { Engine } from '../engine/engine.js';
import type { CommandModel } from './load.js';
import { say } from './terminal/output.js';
import { progressBar } from './terminal/progress.js';

/** The file that keeps what a command's prompts begin with. */
export interface PrefixFile {
  readonly path: string;
  /** Say nothing of it but warnings. */
  readonly quiet: boolean;
}

/** The file, unless an engine has died of a GPU, to which it belongs. */
export function prefixFile(
  { prefix, json = false }: { readonly prefix?: string; readonly json?: boolean },
  { warnings }: Pick<CommandModel, 'warnings'>,
): PrefixFile | undefined {
  return prefix === undefined || warnings.length > 0 ? undefined : { path: prefix, quiet: json };
}

/** What to say where an engine died on a GPU and the CPU goes on, whose prefixes are others. */
export const notOnCpu = 'The file of --prefix was not used: it belongs to the GPU, and the CPU alone answers';

/** The beginning of a command's prompts from its file, or evaluated with a progress bar and saved; undefined if it is not worth it. */
export async function kept(
  engine: Engine,
  tokens: Int32Array,
  { path, quiet }: PrefixFile,
  signal: AbortSignal,
): Promise<{ readonly beginning?: KeptBeginning; readonly warnings: readonly string[] }> {
  const short = tooShortToKeep(tokens);
  if (short !== undefined) return { warnings: [short] };
  const progress = progressBar('Reading the beginning of the prompts');
  const before = engine.counters.promptTokens;
  const show = () => progress.show((engine.counters.promptTokens - before) / tokens.length);
  const timer = setInterval(show, 100);
  let beginning: KeptBeginning;
  try {
    beginning = await keptBeginning(engine, tokens, path, signal);
  } finally {
    clearInterval(timer);
    progress.stop();
  }
  if (beginning.from === 'evaluation' && !quiet)
    say(`meditron: the beginning of the prompts, ${tokens.length} tokens, is kept in ${path}`);
  return { beginning, warnings: beginning.warnings };
}
