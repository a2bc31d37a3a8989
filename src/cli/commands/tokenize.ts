import { Command } from 'commander';
import { MeditronError } from '../../check/errors.js';
import { processOptions } from '../../check/machine.js';
import { largest } from '../../engine/capacity/need.js';
import type { BosRule } from '../../engine/jobs/options.js';
import { stringsAt } from '../../gguf/metadata.js';
import { readGguf } from '../../gguf/reader.js';
import { addFlags, bosOption, modelOption } from '../flags.js';
import { textFrom } from '../input.js';
import { load, type ModelFlags } from '../load.js';
import { interrupts } from '../terminal/interrupt.js';
import { print, printJson } from '../terminal/output.js';
import { oneLine } from '../terminal/plain.js';

interface TokenizeFlags extends ModelFlags {
  readonly file?: string;
  readonly bos: BosRule;
  readonly special?: boolean;
  readonly json?: boolean;
}

export function tokenize(): Command {
  const command = new Command('tokenize')
    .description('Shows the tokens of a text, as the model would be given them.')
    .argument('[text]', 'the text (default: standard input)')
    .addOption(modelOption())
    .option('-f, --file <file>', 'read the text from a file; one line break at its end is dropped')
    .addOption(bosOption())
    .option('--special', 'let the text spell special tokens, as <s>; otherwise they are ordinary text')
    .option('--json', 'print one JSON object: tokens (ids), pieces (as the vocabulary spells them), count')
    .addHelpText('after', '\nExample:\n  meditron tokenize "Once upon a time" --json');
  return addFlags(command, processOptions).action(show);
}

async function show(text: string | undefined, flags: TokenizeFlags): Promise<void> {
  using interrupt = interrupts();
  if (text !== undefined && flags.file !== undefined)
    throw new MeditronError('ERR_OPTION', 'Expected a text or --file FILE, got both');
  const source = { ...(text !== undefined && { prompt: text }), ...(flags.file !== undefined && { file: flags.file }) };
  const given = await textFrom(source, 'TEXT', interrupt.signal);
  // Mapped, the weights are never read: only the vocabulary is wanted.
  await using loaded = await load(flags, interrupt.signal, { gpuLayers: 0, loadMode: 'mmap' });
  const tokens = await loaded.model.tokenize([{ text: given, template: flags.special ?? false }], {
    bos: flags.bos,
    signal: interrupt.signal,
  });
  const vocabulary = stringsAt((await readGguf(flags.model)).metadata, 'tokenizer.ggml.tokens');
  const pieces = Array.from(tokens, id => vocabulary?.at(id) ?? '');
  if (flags.json) {
    printJson({ tokens: Array.from(tokens), pieces, count: tokens.length });
    return;
  }
  const width = String(largest(tokens)).length;
  const lines = Array.from(tokens, (id, i) => `${String(id).padStart(width)}  ${oneLine(pieces[i]!)}\n`);
  print(`${lines.join('')}${tokens.length} ${tokens.length === 1 ? 'token' : 'tokens'}\n`);
}
