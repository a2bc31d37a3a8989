import { Command } from 'commander';
import { askOptions } from '../../ask/options.js';
import { loadOptions, processOptions } from '../../check/machine.js';
import { shippedModel } from '../../check/project.js';
import { pick } from '../../check/table.js';
import { meantModel } from '../../models/added.js';
import { type Header, readHeader, recognised } from '../../models/header.js';
import type { FormatName } from '../../prompt/format/format.js';
import { formatByName } from '../../prompt/format/formats.js';
import { addFlags } from '../flags.js';
import { load, type ModelFlags } from '../load.js';
import {
  answerChecks,
  type Check,
  fileCheck,
  modelCheck,
  type Subject,
  sharedCheck,
  templateCheck,
  tokensCheck,
} from '../models/checks.js';
import { recordedHash } from '../models/recorded.js';
import { interrupts } from '../terminal/interrupt.js';
import { print, printJson } from '../terminal/output.js';
import { oneLine } from '../terminal/plain.js';
import { type Row, table } from '../terminal/table.js';

interface CheckFlags extends ModelFlags {
  readonly format?: FormatName;
  readonly json?: boolean;
}

export function check(): Command {
  const command = new Command('check')
    .description(
      'Checks a model before it is trusted: file, name, template, tokens, shared prompts, one greedy answer, speed. Ends with code 4 if one fails.',
    )
    .argument('[model]', 'GGUF file, or the name of an added one (default: the one in models/)')
    .option('--json', 'print one JSON object')
    .addHelpText('after', help);
  addFlags(command, pick(askOptions, ['format']));
  addFlags(command, loadOptions);
  addFlags(command, processOptions);
  return command.action(show);
}

const help = `
Each line passes, warns, or fails and says what to do. That a model passes says that it is run as it was made to be, not that it is right.

Example:
  meditron check Apertus-8B-MeditronFO-Q4_K_M.gguf`;

/** Cells for a few samples beside a prompt with its examples. */
const contextSize = 2048;

async function show(model: string | undefined, flags: CheckFlags): Promise<void> {
  using interrupt = interrupts();
  const { signal } = interrupt;
  const path = model === undefined ? shippedModel() : meantModel(model);
  const header = await readHeader(path, { signal });
  const checks: Check[] = [fileCheck(header)];
  const tell = (check: Check) => {
    checks.push(check);
    if (!flags.json) print(line(check));
  };
  if (!flags.json) print(line(checks[0]!));
  const known = recognised(header, recordedHash(header));
  tell(modelCheck(header, known, flags.format));
  const name = flags.format ?? known.choice?.format;
  let answer: string | null = null;
  if (name !== undefined && header.problems.length === 0) {
    tell(templateCheck(header, known, name));
    const format = formatOf(name, header);
    const choice = flags.format === undefined ? known.choice : undefined;
    await using loaded = await load({ ...flags, model: path }, signal);
    await using engine = await loaded.model.createEngine({
      contextSize: Math.min(contextSize, header.contextLength ?? contextSize),
      maxSequences: 6,
    });
    const subject: Subject = { model: loaded.model, engine, format, choice, signal };
    tell(await tokensCheck(subject));
    tell(await sharedCheck(subject));
    const [answered, speed, text] = await answerChecks(subject);
    answer = text;
    tell(answered);
    tell(speed);
  }
  const failed = checks.filter(({ state }) => state === 'fail').length;
  const ok = failed === 0;
  if (flags.json) {
    printJson(
      {
        schema: 'meditron-check/1',
        path: header.path,
        ok,
        format: name ?? null,
        choice: known.choice ?? null,
        checks,
        answer,
      },
      2,
    );
  } else {
    const warned = checks.filter(({ state }) => state === 'warn').length;
    const verdict = ok
      ? 'This model can be used.'
      : `This model is not to be used as it is: ${failed} of ${checks.length} checks failed.`;
    print(`\n${verdict}${warned > 0 ? ` Read the ${warned === 1 ? 'warning' : `${warned} warnings`} first.` : ''}\n`);
  }
  if (!ok) process.exitCode = 4;
}

function formatOf(name: FormatName, { chatTemplate, specialTokens }: Header) {
  const [bos, eos] = [specialTokens.bos?.text, specialTokens.eos?.text];
  return formatByName(name, {
    ...(chatTemplate !== null && { chatTemplate }),
    ...(bos != null && { bosToken: bos }),
    ...(eos != null && { eosToken: eos }),
  });
}

const titles: Readonly<Record<Check['name'], string>> = {
  file: 'file',
  model: 'model',
  template: 'template',
  tokens: 'tokens',
  shared: 'shared prompt',
  answer: 'greedy answer',
  speed: 'speed',
};
const marks = { pass: 'ok', warn: '!', fail: '×' } as const;

function line({ name, state, message, advice }: Check): string {
  const rows: Row[] = [[`${marks[state].padEnd(2)} ${titles[name].padEnd(13)}`, oneLine(message)]];
  if (advice !== null) rows.push(['', `> ${advice}`]);
  return table(rows);
}
