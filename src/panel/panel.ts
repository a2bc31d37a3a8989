import { answererOf } from '../answerer/engine.js';
import { askStream } from '../ask/ask.js';
import { checkAsked } from '../ask/asked.js';
import type { AskOptions } from '../ask/options.js';
import { withHash } from '../ask/record/evidence.js';
import { roomFor } from '../ask/room.js';
import { type Answer, notice } from '../ask/types.js';
import { EngineDied } from '../check/died.js';
import { MeditronError, optionError } from '../check/errors.js';
import { engineOptions } from '../check/machine.js';
import { object } from '../check/options.js';
import { checkOptions } from '../check/table.js';
import { checkLoad } from '../engine/load.js';
import type { Model } from '../engine/model.js';
import { whenAborted } from '../engine/signals.js';
import { Turn } from '../engine/turn.js';
import { loadModel } from '../host/load.js';
import { modelHash } from '../models/identity.js';
import { parseQuestion, type Question } from '../prompt/question/question.js';
import { concludePanel, spokenOf } from './conclude.js';
import { checkMeasured, measurementOf } from './measured.js';
import { type CheckedMember, checkMembers, namedApart } from './members.js';
import { recordOf } from './record/record.js';
import { sideBySide } from './side-by-side.js';
import type { Measurement, MemberReport, PanelAnswer, PanelMember, PanelOptions } from './types.js';

/**
 * Asks a question of several models and says whether their families agree: the rule is that of `panelVerdict`. Each model is asked in its own
 * format, with its own vote. Models are side by side in memory where they fit, and compute at once as far as there are cores for; else one
 * comes after the other. One that cannot be loaded, or dies, is left out and named. An open question is asked for lists (mode `ranked`), because
 * texts cannot be counted; they are merged over families.
 *
 * `deadline` and `until` close the whole panel with what there is.
 *
 * @throws MeditronError `ERR_OPTION` for 1 or more than 8 models, or one of them twice; `ERR_PROMPT_FORMAT` with the choices for a model whose
 *   format is not known, before anything is computed; the first model's error if none could be asked; the signal's reason
 */
export async function panel(
  members: readonly PanelMember[],
  question: Question,
  options: PanelOptions = {},
): Promise<PanelAnswer> {
  const { load = {}, engine = {}, measured = [], onEvent, ...given } = object('options', options) as PanelOptions;
  const parsed = parseQuestion(question);
  const asking: AskOptions = { ...given, ...(parsed.kind === 'open' && { mode: given.mode ?? 'ranked' }) };
  checkMachine(object('load', load), object('engine', engine), onEvent);
  const known = checkMeasured(measured);
  if (given.calibration !== undefined)
    throw new MeditronError('ERR_OPTION', '`calibration` has no meaning in a panel: it is of one model alone');
  checkAsked(parsed, { ...asking, format: undefined });
  asking.signal?.throwIfAborted();
  const checked = await checkMembers(members, parsed, asking);
  return new Panel(checked, parsed, asking, { load, engine, measured: known, onEvent }).run();
}

function checkMachine({ isolate: _, ...load }: Record<string, unknown>, engine: object, onEvent: unknown): void {
  checkLoad({ ...load, path: '' });
  checkOptions('createEngine()', engineOptions, engine);
  if (onEvent !== undefined && typeof onEvent !== 'function') throw optionError('onEvent', 'a function', onEvent);
}

type Machine = Pick<PanelOptions, 'load' | 'engine' | 'onEvent'> & { readonly measured: readonly Measurement[] };

class Panel {
  readonly #turn = new Turn();
  /** Aborts when the panel closes, by whoever or whatever. */
  readonly #closing = new AbortController();
  readonly #warnings: string[] = [];
  readonly #began = performance.now();
  #closedBy: 'deadline' | 'aborted' = 'aborted';

  constructor(
    private readonly members: readonly CheckedMember[],
    private readonly question: Question,
    private readonly options: AskOptions,
    private readonly machine: Machine,
  ) {}

  async run(): Promise<PanelAnswer> {
    const { members, options } = this;
    using _ = this.#watch();
    for (const [i, { error }] of members.entries()) if (error) this.#failed(i, error);
    const seats = members.flatMap(({ found }, index) =>
      found ? [{ index, sizeBytes: found.inspection.sizeBytes }] : [],
    );
    const ended = await sideBySide<Answer | null>(seats, {
      load: ({ index }) => this.#load(index),
      work: ({ index }, model, opened) => this.#answer(index, model, opened),
      failed: ({ index }, error) => this.#failed(index, error),
      stopped: this.#closing.signal,
    });
    options.signal?.throwIfAborted();
    const outcomes = members.map(({ error }, index): Outcome => {
      const { value = null, error: met = error } = ended.get(index) ?? {};
      if (met !== null && !(met instanceof MeditronError)) throw met;
      return { answer: value, error: met };
    });
    const heard = outcomes.some(({ answer }) => answer !== null);
    const failed = outcomes.find(({ error }) => error !== null);
    if (!heard && failed) throw failed.error;
    return this.#concluded(outcomes);
  }

  #concluded(outcomes: readonly Outcome[]): PanelAnswer {
    const { members } = this;
    const reports = members.map(({ name, file, called = null, found }, i): MemberReport => {
      const { answer, error } = outcomes[i]!;
      return {
        name,
        file,
        called,
        family: found?.family ?? (called === null ? null : { name: called, by: 'caller' }),
        measured: measurementOf(answer, this.machine.measured),
        state: answer ? 'answered' : error ? 'failed' : 'not-asked',
        error: error && { code: error.code, message: error.message },
      };
    });
    const closed = outcomes.some(({ answer, error }) => (answer ? isCut(answer) : error === null));
    const interrupted = closed ? this.#closedBy : null;
    const answers = outcomes.map(({ answer }) => answer);
    const result = concludePanel(spokenOf(reports, answers), interrupted);
    const records = reports.map((report, i) => ({ ...report, evidence: answers[i]?.evidence ?? null }));
    return {
      ...result,
      members: reports.map((report, i) => ({ ...report, answer: answers[i]! })),
      warnings: [
        ...namedApart(members),
        ...this.#warnings,
        ...answers.flatMap((answer, i) => answer?.warnings.map(warning => `${members[i]!.name}: ${warning}`) ?? []),
      ],
      notice,
      evidence: recordOf(records, result, interrupted),
    };
  }

  #load(index: number, onCpu = false): Promise<Model> {
    const { load, onEvent } = this.machine;
    const { path } = this.members[index]!;
    const onProgress = (fraction: number) => onEvent?.({ type: 'loading', member: index, fraction });
    onProgress(0);
    const hash = this.options.hash !== false;
    return loadModel({ ...load, hash, ...(onCpu && { gpuLayers: 0 }), path, onProgress, signal: this.#closing.signal });
  }

  /** Null if the panel was closed before its turn. Where its process dies on a GPU, the CPU alone answers. */
  async #answer(index: number, model: Model, opened: () => void): Promise<Answer | null> {
    try {
      return await this.#ask(index, model, opened);
    } catch (error) {
      if (!diedOnGpu(error) || this.#closing.signal.aborted) throw error;
      this.#warnings.push(`${this.members[index]!.name}: ${error.message}. It was asked again, with the CPU alone`);
    }
    await model.close();
    await using again = await this.#load(index, true);
    return await this.#ask(index, again, opened);
  }

  async #ask(index: number, model: Model, opened: () => void): Promise<Answer | null> {
    const { question, machine } = this;
    const { name, format } = this.members[index]!;
    const options = { ...this.options, format, hash: false };
    const room = await roomFor(model, question, options);
    await using engine = await model.createEngine({
      ...machine.engine,
      contextSize: machine.engine?.contextSize ?? room.contextSize,
      maxSequences: room.maxSequences,
    });
    opened();
    const files = this.options.hash === false ? null : modelHash(model.info, this.#closing.signal).catch(() => null);
    const given = await this.#turn.run(engine.settings.threads, async () => {
      if (this.#closing.signal.aborted) return null;
      const stream = askStream(answererOf(engine), question, { ...options, deadline: this.#timeLeft });
      for (;;) {
        const { done, value } = await stream.next();
        if (done) return value;
        machine.onEvent?.({ type: 'ask', member: index, event: value });
      }
    });
    if (given === null) return null;
    const evidence = withHash(given.evidence, await files);
    if (files && !evidence.model.files) this.#warnings.push(`${name}: the evidence has no SHA-256 of its file`);
    const answer = { ...given, evidence };
    machine.onEvent?.({ type: 'answered', member: index, answer });
    return answer;
  }

  get #timeLeft(): number | undefined {
    const { deadline } = this.options;
    return deadline === undefined ? undefined : Math.max(1, deadline - (performance.now() - this.#began));
  }

  /** Has the panel close when its caller or its deadline says so. */
  #watch(): Disposable {
    const { signal, until, deadline } = this.options;
    const close = (by: 'deadline' | 'aborted') => {
      if (!this.#closing.signal.aborted) this.#closedBy = by;
      this.#closing.abort(new MeditronError('ERR_ABORTED', 'The panel was stopped'));
    };
    const abort = () => close('aborted');
    const timer = deadline === undefined ? undefined : setTimeout(() => close('deadline'), deadline);
    const forget = [signal, until].map(given => given && whenAborted(given, abort));
    if (signal?.aborted || until?.aborted) abort();
    return {
      [Symbol.dispose]() {
        clearTimeout(timer);
        for (const each of forget) each?.();
      },
    };
  }

  /** What is wrong with one model is told, and the panel goes on; a fault of the program ends it. */
  #failed(member: number, error: unknown): void {
    if (!(error instanceof MeditronError)) {
      this.#closing.abort(error);
      return;
    }
    const { name } = this.members[member]!;
    const message = `${name} could not be asked, and the panel goes on without it: ${error.message}`;
    this.#warnings.push(message);
    this.machine.onEvent?.({ type: 'failed', member, message });
  }
}

interface Outcome {
  readonly answer: Answer | null;
  readonly error: MeditronError | null;
}

function isCut({ reason }: Answer): boolean {
  return reason === 'aborted' || reason === 'deadline';
}

function diedOnGpu(error: unknown): error is EngineDied {
  return error instanceof EngineDied && error.death.devices.some(name => name !== 'CPU');
}
