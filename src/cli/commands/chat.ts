import { Command } from 'commander';
import { tryKept } from '../../answerer/kept.js';
import { chooseFormat } from '../../ask/choice.js';
import { askOptions } from '../../ask/options.js';
import { MeditronError } from '../../check/errors.js';
import { whole } from '../../check/kinds.js';
import { engineOptions } from '../../check/machine.js';
import { samplingNumbers } from '../../check/sampling.js';
import { pick } from '../../check/table.js';
import { inBytes } from '../../check/words.js';
import { scopeOf } from '../../clinical/scope.js';
import type { Model } from '../../engine/model.js';
import type { ModelFacts } from '../../models/registry.js';
import type { FormatName, PromptFormat } from '../../prompt/format/format.js';
import { formats } from '../../prompt/format/formats.js';
import { type Answer, Conversation } from '../conversation.js';
import { addFlags, addModelFlags, flag, inFlags, optionsOf, prefixOption } from '../flags.js';
import { load, type ModelFlags } from '../load.js';
import { kept, notOnCpu, prefixFile } from '../prefix.js';
import { exitCodeOf, report } from '../terminal/exit.js';
import { interrupts } from '../terminal/interrupt.js';
import { Interrupted } from '../terminal/interrupted.js';
import { messages } from '../terminal/messages.js';
import { outputLost, piecesPrinted, print, printJson, printText, say } from '../terminal/output.js';
import { oneLine } from '../terminal/plain.js';
import { warn } from '../terminal/warning.js';
import { sayTimings, tenth, timingsOption } from '../timings.js';

export interface ChatFlags extends ModelFlags {
  readonly format?: FormatName;
  readonly system?: string;
  readonly seed: number;
  readonly maxTokens?: number;
  readonly prefix?: string;
  readonly json?: boolean;
  readonly timings?: boolean;
}

export function chat(): Command {
  const command = new Command('chat')
    .description('Talks with a model over several turns. The conversation stays in memory and is written nowhere.')
    .option('--system <text>', 'what the model is told before the conversation')
    .addOption(flag('--seed <n>', 'same seed and same messages, same answers', whole(0, 2 ** 48)).default(0))
    .addOption(
      flag(
        '--max-tokens <n>',
        'most tokens of an answer (default: what the context has left, at most 512)',
        whole(1, 0x7fffffff),
      ),
    )
    .addOption(prefixOption())
    .option('--json', 'print one JSON object a line for every answer, or error')
    .addOption(timingsOption())
    .addHelpText('after', help);
  addFlags(command, pick(askOptions, ['format']));
  addFlags(command, samplingNumbers);
  addModelFlags(command);
  addFlags(command, engineOptions);
  return command.action(converse);
}

const commands = `/help           this list
/clear          forget what was said
/system [TEXT]  show what the model is told first; with TEXT set it and begin anew; /system off takes it away
/exit           leave (also Ctrl-D, or Ctrl-C at an empty prompt)

A pasted text is one message, which Enter sends. To type several lines, end each but the last with \\, or put them between
two lines of """.`;

const help = `
In the conversation:
${commands.replace(/^/gm, '  ')}
  Ctrl-C during an answer stops the answer; at the prompt it discards what is typed. If standard input is no terminal, every
  line of it is a message, and so is all that stands between two lines of """.
  The temperature is 0.7 unless given. Answers can be wrong; no model replaces a doctor.

Example:
  meditron chat -m meditron-7b-chat.Q4_K_M.gguf --system "Answer briefly."`;

/** Talks until the person leaves. */
export async function converse(flags: ChatFlags): Promise<void> {
  const loading = interrupts();
  if (flags.prefix !== undefined) await tryKept(flags.prefix);
  await using loaded = await load(flags, loading.signal);
  const { info } = loaded.model;
  const maxSequences = flags.prefix === undefined ? 2 : 3;
  const open = (model: Model) => model.createEngine({ ...optionsOf(engineOptions, flags), maxSequences });
  const { format, facts, told, engine, contextMs } = await loaded.attempt(async model => {
    const { format, facts, told } = await formatFor(model, flags, loading.signal);
    const start = performance.now();
    const engine = await open(model);
    return { format, facts, told, engine, contextMs: performance.now() - start };
  }, loading.signal);
  const outside = scopeOf([info.name, info.path], undefined)?.warning;
  await using conversation = new Conversation(engine, format, {
    sampling: { temperature: 0.7, ...optionsOf(samplingNumbers, flags) },
    seed: flags.seed,
    maxTokens: flags.maxTokens,
    system: undefined,
    facts,
  });
  if (flags.system !== undefined) conversation.setSystem(flags.system);
  for (const warning of [...told, ...engine.settings.warnings, ...(await conversation.warnings())]) warn(warning);
  const begun = performance.now();
  const prefix = prefixFile(flags, loaded);
  if (prefix) {
    const { beginning, warnings } = await kept(engine, await conversation.common(), prefix, loading.signal);
    if (beginning) conversation.begin(beginning);
    for (const warning of warnings) warn(warning);
  } else if (flags.prefix !== undefined) warn(notOnCpu);
  let loadMs: number | null = tenth(loaded.loadMs + contextMs + performance.now() - begun);
  loading[Symbol.dispose]();
  if (outside !== undefined) warn(outside);

  const interactive = Boolean(process.stdin.isTTY && process.stdout.isTTY) && !flags.json;
  if (interactive) {
    print(
      `${oneLine(info.name ?? flags.model)} (${inBytes(info.sizeBytes)}), format ${format.name}, ${contextOf(engine.settings.sequenceSize, facts)}.\n` +
        'Answers can be wrong; no model replaces a doctor. /help lists commands and how to send several lines.\n\n',
    );
  }
  for await (const line of messages(interactive)) {
    if (outputLost.aborted) break;
    const text = line.trim();
    if (text === '') continue;
    try {
      if (text.startsWith('/')) {
        if (obey(text, conversation) === 'leave') break;
      } else {
        const attempt: Attempt = (ask, signal) =>
          loaded.attempt(async model => {
            if (conversation.model !== model) await conversation.moveTo(await open(model));
            return ask();
          }, signal);
        await answer(text, conversation, { ...flags, attempt, loadMs });
        loadMs = null;
      }
    } catch (error) {
      if (error instanceof Interrupted && error.exitCode !== 130) throw error; // SIGTERM ends more than the answer
      if (error instanceof Interrupted) continue;
      if (!(error instanceof MeditronError)) throw error;
      if (flags.json) printJson({ error: { code: error.code, message: inFlags(error.message) } });
      else report(error, false);
      if (!interactive) process.exitCode ||= exitCodeOf(error);
    }
  }
}

/** How long a conversation may become, and from where on it is longer than what the model was trained on. */
function contextOf(size: number, facts: ModelFacts | null): string {
  const trained = facts?.trainedContext?.tokens ?? size;
  return `${size} tokens of context${trained < size ? `, of which it was trained on ${trained}` : ''}`;
}

type Attempt = (ask: () => Promise<Answer>, signal: AbortSignal) => Promise<Answer>;

interface Answering extends Pick<ChatFlags, 'json' | 'timings'> {
  readonly attempt: Attempt;
  /** Of the first answer: what came before it. */
  readonly loadMs: number | null;
}

async function answer(
  text: string,
  conversation: Conversation,
  { json = false, timings: timed = false, attempt, loadMs }: Answering,
): Promise<void> {
  using interrupt = interrupts();
  const from = performance.now();
  const isTerminal = process.stdout.isTTY;
  const before = piecesPrinted();
  const show = (piece: string) => {
    if (!json) printText(piece);
  };
  let given: Answer;
  try {
    given = await attempt(() => conversation.ask(text, interrupt.signal, show), interrupt.signal);
  } catch (error) {
    if (piecesPrinted() > before) print(' [broken off]\n');
    throw error;
  }
  const timings = { loadMs, ...given.timings };
  if (json) {
    const { text: said, finish, promptTokens, evaluatedTokens, warnings } = given;
    const totalMs = Math.round(performance.now() - from);
    printJson({ answer: said, finish, promptTokens, evaluatedTokens, totalMs, warnings, ...(timed && { timings }) });
  } else {
    print(`${noteOn(given)}\n${isTerminal && !timed ? '\n' : ''}`);
    for (const warning of given.warnings) warn(warning);
    if (timed) sayTimings(timings);
    if (timed && isTerminal) print('\n');
  }
  if (interrupt.signal.aborted) throw interrupt.signal.reason;
}

function noteOn({ text, finish, findings }: Answer): string {
  const changed = findings.filter(finding => finding.action !== 'kept').map(finding => finding.detail);
  const notes = [
    text.trim() === '' && 'no answer',
    finish === 'length' && 'cut off at the token limit',
    finish === 'cancelled' && 'interrupted',
    changed.length > 0 && `changed in your message before the model saw it: ${changed.join(', ')}`,
  ].filter(note => note !== false);
  return notes.length === 0 ? '' : ` [${notes.join('; ')}]`;
}

/** Carries out a line that begins with a slash. */
function obey(line: string, conversation: Conversation): 'leave' | undefined {
  const [, name = '', text = ''] = /^\/(\S*)\s*(.*)$/s.exec(line)!;
  if (name === 'exit' || name === 'quit') return 'leave';
  if (name === 'help') say(commands);
  else if (name === 'clear') {
    conversation.clear();
    say('The conversation begins anew.');
  } else if (name === 'system' && text === '') say(conversation.system ?? 'Nothing is set.');
  else if (name === 'system') {
    conversation.setSystem(text === 'off' ? undefined : text);
    say('Set. The conversation begins anew.');
  } else throw new MeditronError('ERR_OPTION', 'Unknown command. There are /help, /clear, /system and /exit');
  return undefined;
}

/** The format that was asked for, or the one known for the model, never a guess; and what speaks against it. */
async function formatFor(
  model: Model,
  flags: ChatFlags,
  signal: AbortSignal,
): Promise<{ format: PromptFormat; facts: ModelFacts | null; told: readonly string[] }> {
  const { format, choice, facts } = await chooseFormat(model, flags.format, signal).catch(error => {
    if (flags.format !== undefined || !(error instanceof MeditronError)) throw error;
    throw new MeditronError(error.code, `${error.message}. Give it as --format NAME`, { cause: error });
  });
  if (format.accepts.chat) return { format, facts, told: choice?.warnings ?? [] };
  const able = formats.filter(({ accepts }) => accepts.chat).map(({ name }) => name);
  throw new MeditronError(
    'ERR_PROMPT_FORMAT',
    `The ${format.name} format${flags.format === undefined ? ', which this model is asked in,' : ''} has no conversation. ` +
      `Choose one that has with --format: ${able.join(', ')}, jinja. For base models it is one-shot`,
  );
}
