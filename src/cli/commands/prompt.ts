import { Command } from 'commander';
import { chooseFormat } from '../../ask/choice.js';
import { askOptions, checkAsk, promptOptions } from '../../ask/options.js';
import { bosOf, promptFor, vocabularyWarnings } from '../../ask/prompts.js';
import { pick } from '../../check/table.js';
import { findingInWords, readingInWords } from '../../prompt/question/text/explain.js';
import { addFlags, addModelFlags, optionsOf } from '../flags.js';
import { load, type ModelFlags } from '../load.js';
import { questionFrom, questionHelp } from '../question.js';
import { interrupts } from '../terminal/interrupt.js';
import { print, printJson } from '../terminal/output.js';
import { plain } from '../terminal/plain.js';
import { warn } from '../terminal/warning.js';

interface PromptFlags extends ModelFlags {
  readonly json?: boolean;
}

/** Options of ask() that decide the prompt. */
const options = { ...pick(askOptions, ['mode', 'protocol', 'format', 'bos']), ...promptOptions };

export function prompt(): Command {
  const command = new Command('prompt')
    .description('Shows the exact prompt of a question, segment by segment and as token ids, without running anything.')
    .argument('[question...]', questionHelp)
    .option('--json', 'print one JSON object')
    .addHelpText('after', help);
  addFlags(command, options);
  addModelFlags(command);
  return command.action(show);
}

const help = `
Only template segments may hold special tokens. The model is needed for its vocabulary alone; one that lacks a format's tokens
is told so.

Example:
  meditron prompt -m meditron-7b.gguf --format chatml question.json --json`;

async function show(words: readonly string[], flags: PromptFlags): Promise<void> {
  using interrupt = interrupts();
  const { signal } = interrupt;
  const reading = await questionFrom(words, signal);
  const { question } = reading;
  const ask = checkAsk(question, optionsOf(options, flags));
  await using loaded = await load(flags, signal, { loadMode: 'mmap', gpuLayers: 0 });
  const { model } = loaded;
  const chosen = await chooseFormat(model, ask.format, signal);
  const built = promptFor(chosen.format, question, ask, null, chosen.choice);
  const ids = await model.tokenize(built.segments, { bos: bosOf(ask.bos, built, model), signal });
  const warnings = [...(chosen.choice?.warnings ?? []), ...(await vocabularyWarnings(model, built))];
  const { format, protocol, mode, task, segments, stops, continuations, reask, grammar, findings } = built;
  if (flags.json) {
    const tokens = Array.from(ids);
    const options = await Promise.all(
      continuations.map(async text => ({ text, tokens: Array.from(await model.continuation(ids, text)) })),
    );
    const choice = chosen.choice ?? null;
    printJson({
      format,
      choice,
      protocol,
      mode,
      task: task ?? null,
      segments,
      tokens,
      continuations: options,
      reask: reask ?? null,
      grammar: grammar ?? null,
      stops,
      findings,
      reading,
      warnings,
    });
    return;
  }
  for (const finding of reading.findings) warn(findingInWords(finding));
  for (const warning of warnings) warn(warning);
  for (const finding of findings) warn(`${finding.where}: ${finding.count} × ${finding.kind} ${finding.action}`);
  print(`${readingInWords(reading)}\n\n`);
  print(`${segments.map(({ text }) => plain(text)).join('')}\n\n${ids.length} tokens: ${Array.from(ids).join(' ')}\n`);
}
