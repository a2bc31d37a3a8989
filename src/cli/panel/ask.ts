import { askOptions } from '../../ask/options.js';
import { tryOutput, writeOutput } from '../../check/outputs.js';
import { memberNames } from '../../panel/members.js';
import { panel } from '../../panel/panel.js';
import { printedPanel } from '../../panel/record/record.js';
import type { PanelAnswer } from '../../panel/types.js';
import type { QuestionReading } from '../../prompt/question/text.js';
import { type Flags, optionsOf } from '../flags.js';
import { print, printJson } from '../terminal/output.js';
import { panelScreen } from '../terminal/panel.js';
import { panelistsOn, silentPanelists } from '../terminal/panelists.js';
import { warn } from '../terminal/warning.js';
import { machineOf, measurementsOf, memberTyped } from './flags.js';

export interface PanelFlags extends Flags {
  /** As they were typed. */
  readonly panel: readonly string[];
  readonly measured?: readonly string[];
  readonly record?: string;
  readonly json?: boolean;
}

/** Asks several models a question that has been read, and shows what their families say. */
export async function askPanel(reading: QuestionReading, flags: PanelFlags, signal: AbortSignal): Promise<void> {
  const { question } = reading;
  const members = flags.panel.map(memberTyped);
  if (flags.record !== undefined) await tryOutput(flags.record);
  const measured = await measurementsOf(flags.measured);
  const names = memberNames(members.map(({ path }) => path));
  const panelists = flags.json ? silentPanelists : panelistsOn(process.stdout, names);
  /** What has been said while the others answered. */
  const told = new Set<string>();
  let answer: PanelAnswer;
  try {
    answer = await panel(members, question, {
      ...optionsOf(askOptions, flags),
      ...machineOf(flags),
      hash: flags.json === true || flags.record !== undefined || measured.length > 0,
      until: signal,
      measured,
      onEvent(event) {
        panelists.show(event);
        if (event.type !== 'failed' || flags.json) return;
        warn(event.message);
        told.add(event.message);
      },
    });
  } finally {
    panelists.close();
  }
  if (flags.json) printJson({ ...printedPanel(answer), reading });
  else {
    for (const warning of answer.warnings) if (!told.has(warning)) warn(warning);
    print(panelScreen(question, answer, process.stdout));
  }
  if (flags.record !== undefined) await writeOutput(flags.record, `${JSON.stringify(answer.evidence, null, 1)}\n`);
  if (signal.aborted && answer.evidence.interrupted !== null) throw signal.reason;
}
