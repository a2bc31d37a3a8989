import { Command } from 'commander';
import { printed } from '../../ask/record/evidence.js';
import { contradicted, type Replay, recordedLoad, replayWith } from '../../ask/record/replay.js';
import { readEvidence } from '../../ask/record/schema.js';
import type { Evidence } from '../../ask/types.js';
import { MeditronError } from '../../check/errors.js';
import { processOptions } from '../../check/machine.js';
import { meantModel } from '../../models/added.js';
import { type PanelReplay, replayPanel } from '../../panel/record/replay.js';
import { isPanel, readPanel } from '../../panel/record/schema.js';
import { jsonFault } from '../../prompt/question/json.js';
import { addFlags, type Flags } from '../flags.js';
import { readText } from '../input.js';
import { load } from '../load.js';
import { machineOf, panelOption } from '../panel/flags.js';
import { chainsOn, silentChains } from '../terminal/chains.js';
import { interrupts } from '../terminal/interrupt.js';
import { print, printJson } from '../terminal/output.js';
import { panelistsOn, silentPanelists } from '../terminal/panelists.js';
import { oneLine } from '../terminal/plain.js';

interface ReplayFlags extends Flags {
  readonly model?: string;
  readonly panel?: readonly string[];
  readonly json?: boolean;
}

export function replay(): Command {
  const command = new Command('replay')
    .description(
      'Runs a recorded answer again and says whether every token and the vote are the same, or where they part.',
    )
    .argument('<record>', 'a file written by `meditron ask --record`, or what `--json` printed')
    .option(
      '-m, --model <file>',
      'where the model is now, or the name it was added under (default: where it was)',
      meantModel,
    )
    .addOption(
      panelOption('where the models of a panel are now, in the order of the record (default: where they were)'),
    )
    .option('--json', 'print one JSON object: { same, difference, summary, environment, answer }')
    .addHelpText('after', help);
  return addFlags(command, processOptions).action(again);
}

const help = `
Exit code 0 if all is the same, 1 if something differs. The model file is compared by its SHA-256 before anything runs. Results
repeat on the same machine and build; elsewhere the arithmetic may differ in the last bit, and what has changed is listed.

Example:
  meditron replay record.json`;

async function again(path: string, flags: ReplayFlags): Promise<void> {
  using interrupt = interrupts();
  const { signal } = interrupt;
  const record = await readRecord(path, signal);
  if (isPanel(record)) return await panelAgain(record, flags, signal);
  if (flags.panel !== undefined)
    throw new MeditronError('ERR_OPTION', 'The record is that of one model: use --model, not --panel');
  const evidence = readEvidence(record);
  const result = contradicted(evidence) ?? (await onRecordedModel(evidence, flags, signal));
  if (flags.json) printJson({ ...result, answer: result.answer && printed(result.answer) });
  else {
    show(result);
  }
  if (!result.same) process.exitCode = 1;
}

function show({ summary, environment }: Pick<Replay, 'summary' | 'environment'>): void {
  const changed = environment.map(line => `  ${oneLine(line)}\n`).join('');
  print(`${oneLine(summary)}.\n${changed && `Not as it was:\n${changed}`}`);
}

/** A panel: its models one after the other, then what follows from them. */
async function panelAgain(record: unknown, flags: ReplayFlags, signal: AbortSignal): Promise<void> {
  if (flags.model !== undefined)
    throw new MeditronError(
      'ERR_OPTION',
      'The record is that of a panel: say where its models are by --panel, not --model',
    );
  const names = readPanel(record).members.map(({ name }) => name);
  const panelists = flags.json ? silentPanelists : panelistsOn(process.stdout, names);
  let result: PanelReplay;
  try {
    const { isolate } = machineOf(flags).load;
    result = await replayPanel(record, {
      modelPaths: flags.panel?.map(meantModel),
      isolate,
      signal,
      onEvent: panelists.show,
    });
  } finally {
    panelists.close();
  }
  if (flags.json) {
    const members = result.members.map(({ name, replay }) => ({
      name,
      replay: replay && { ...replay, answer: replay.answer && printed(replay.answer) },
    }));
    printJson({ ...result, members });
  } else show(result);
  if (!result.same) process.exitCode = 1;
}

async function onRecordedModel(evidence: Evidence, flags: ReplayFlags, signal: AbortSignal): Promise<Replay> {
  const { path, ...recorded } = recordedLoad(evidence);
  await using loaded = await load({ ...flags, model: flags.model ?? path }, signal, recorded);
  return await loaded.attempt(async model => {
    const chains = !flags.json && process.stdout.isTTY ? chainsOn(process.stdout) : silentChains;
    try {
      return await replayWith(model, evidence, { signal, onEvent: chains.show });
    } finally {
      chains.close();
    }
  }, signal);
}

/** @throws MeditronError `ERR_INPUT` if it cannot be read, is no record, or is not as it was written */
export async function readRecord(path: string, signal: AbortSignal): Promise<unknown> {
  const record = parse(await readText(path, signal), path);
  if (isPanel(record)) readPanel(record);
  else readEvidence(record);
  return record;
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new MeditronError('ERR_INPUT', `${path} is not a record: ${jsonFault(text, error)}`);
  }
}
