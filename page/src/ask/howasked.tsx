import type { Answer, Evidence } from '../../../src/server/meditron/protocol.js';
import { English, Facts } from '../parts/parts.js';
import { words, writing } from '../words/words.js';
import { inShort } from './question.js';

/** How an answer came about: all that would repeat it. */
export function HowAsked({ answer }: { readonly answer: Answer }) {
  const { how } = words.value;
  const { vote, evidence } = answer;
  const first = vote?.votes[0];
  return (
    <Facts
      rows={[
        ...factsOf(evidence),
        vote ? [how.agreement, words.value.answer.needed(vote.needed.votes, vote.needed.of)] : null,
        first?.wilson
          ? [
              how.bounds,
              how.wilson(
                Math.round(first.wilson.low * 100),
                Math.round(first.wilson.high * 100),
                inShort(first.answer, evidence.question, words.value),
              ),
            ]
          : null,
      ]}
    />
  );
}

type Row = readonly [string, preact.ComponentChildren];

/** What a record says of the asking alone. */
export function factsOf(evidence: Evidence): readonly Row[] {
  const { how, ask, evaluate } = words.value;
  const modeNames = { ...evaluate.modeNames, ranked: ask.kinds.ranked, free: ask.kinds.free };
  const { number } = writing.value;
  const { model, format, asked, plan, seeds, machine, meditron, cost, created, result } = evidence;
  return [
    [how.model, <English>{`${model.name ?? model.file}, ${model.quantization}`}</English>],
    [how.file, <English>{model.file}</English>],
    [
      how.hash,
      <span class="hash" dir="ltr">
        {model.sha256 ?? how.hashUnknown}
      </span>,
    ],
    [
      how.format,
      <>
        <English>{format.name}</English>. {ask.formatBy[format.by]}
      </>,
    ],
    [how.source, <English>{format.source}</English>],
    [how.protocol, named(ask.protocols[asked.protocol], asked.protocol)],
    [how.mode, named(modeNames[asked.mode as keyof typeof modeNames], asked.mode)],
    [how.temperature, number(asked.temperature)],
    [how.seed, String(asked.seed)],
    [how.chains, number(plan.samples)],
    [how.seeds, <span dir="ltr">{seeds.map(seed => String(seed)).join(', ')}</span>],
    ...(result.decision === null ? [] : [[how.stoppedBy, how.stops[result.stoppedBy]] as const]),
    [how.cost, how.costOf(cost.promptTokens, cost.sampledTokens, cost.milliseconds)],
    [
      how.machine,
      <English>{`${machine.devices.map(({ description, name }) => description || name).join(', ') || machine.platform} (${machine.platform} ${machine.arch})`}</English>,
    ],
    [how.version, <Version of={meditron} created={created} />],
  ];
}

/** Which version made a record, and when. */
export function Version({ of, created }: { readonly of: string; readonly created: string }) {
  const { comma, time } = writing.value;
  return (
    <>
      <English>Meditron {of}</English>
      {comma}
      {time(created)}
    </>
  );
}

/** In the page's words, with the name that the record has for it. */
function named(inWords: string | undefined, name: string) {
  return inWords === undefined ? (
    <English>{name}</English>
  ) : (
    <>
      {inWords} <English>({name})</English>
    </>
  );
}
