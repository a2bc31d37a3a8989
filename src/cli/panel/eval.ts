import { join } from 'node:path';
import { MeditronError } from '../../check/errors.js';
import { engineOptions } from '../../check/machine.js';
import { evaluate } from '../../evaluate/evaluate.js';
import { openPanelFolder } from '../../evaluate/panel/folder.js';
import { panelReportOf } from '../../evaluate/panel/report.js';
import type { EvaluationReport } from '../../evaluate/report/types.js';
import { untilLoaded } from '../../evaluate/run/again.js';
import { runOptions } from '../../evaluate/run/options.js';
import { localTarget } from '../../evaluate/run/target.js';
import type { Questions } from '../../evaluate/tasks/load.js';
import { questionOf } from '../../evaluate/tasks/question.js';
import { checkMembers } from '../../panel/members.js';
import { type Flags, optionsOf } from '../flags.js';
import { load } from '../load.js';
import { say } from '../terminal/output.js';
import type { EvaluationProgress } from '../terminal/progress.js';
import { warn } from '../terminal/warning.js';
import { memberTyped } from './flags.js';

export interface PanelEvalFlags extends Flags {
  readonly panel: readonly string[];
  readonly out: string;
  readonly limit?: number;
  readonly parallel?: number;
  readonly resume?: boolean;
  readonly json?: boolean;
}

/** Measures a panel: its models one after the other, each in a folder of its own, then what follows from all their rows. */
export async function evaluatePanel(
  questions: Questions,
  flags: PanelEvalFlags,
  progress: EvaluationProgress,
  onIncident: (message: string) => void,
  signal: AbortSignal,
): Promise<EvaluationReport> {
  const { out, resume = false } = flags;
  const [first] = questions.set.items;
  if (!first) throw new MeditronError('ERR_INPUT', 'There are no questions');
  const options = optionsOf(runOptions, flags);
  const { format } = options;
  const members = await checkMembers(flags.panel.map(memberTyped), questionOf(first), { format, signal });
  const damaged = members.find(({ error }) => error !== null);
  if (damaged) throw damaged.error;
  const evaluated = members.map(({ name, found }) => ({ name, family: found!.family.name }));
  await openPanelFolder(out, evaluated, resume);
  for (const { name, path, format: own } of members) {
    await using loaded = await untilLoaded(() =>
      load({ ...flags, model: path }, signal, { cpuFallback: false, hash: true }),
    );
    await evaluate(localTarget(loaded.model, optionsOf(engineOptions, flags)), {
      ...questions,
      ...options,
      format: own,
      out: join(out, name),
      resume,
      limit: flags.limit,
      parallel: flags.parallel,
      signal,
      onWarning: message => warn(`${name}: ${message}`),
      onPlan: notes => {
        if (!flags.json) for (const note of notes) say(`meditron: ${name}: ${note}`);
      },
      onProgress: each => progress.show({ ...each, run: `${name}, ${each.run}` }),
      onIncident: message => onIncident(`${name}: ${message}`),
    });
  }
  return panelReportOf(out, evaluated);
}
