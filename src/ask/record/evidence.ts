import type { Description } from '../../answerer/answerer.js';
import { packageVersion } from '../../check/project.js';
import { jsonHash, sealed, textHash } from '../../check/seal.js';
import type { FileHash } from '../../models/identity.js';
import { textOf } from '../../prompt/segment.js';
import type { Interruption } from '../../vote/count/decision.js';
import type { Conclusion } from '../conclude.js';
import { storedAsk } from '../options.js';
import type { Planned } from '../plan.js';
import type { Run } from '../run.js';
import { type Answer, type Evidence, evidenceSchema } from '../types.js';
import { hashOfFiles, tokenHash } from './hashes.js';

export interface Measured {
  /** True if nothing had run on the engine before. */
  readonly fresh: boolean;
  readonly promptTokens: number;
  readonly sampledTokens: number;
  readonly milliseconds: number;
}

/** What is kept of an answer, to run it again. */
export function evidenceOf(
  { model, machine, llama, engine }: Description,
  planned: Planned,
  conclusion: Conclusion,
  { scores, interrupted }: Pick<Run, 'scores' | 'interrupted'>,
  files: readonly FileHash[] | null,
  { fresh, promptTokens, sampledTokens, milliseconds }: Measured,
): Evidence {
  const { asked: given, chosen, plan, seeds, variants, fit } = planned;
  const { question } = given;
  const asked = recordedOptions(planned);
  return sealed<Omit<Evidence, 'sha256'>>({
    schema: evidenceSchema,
    meditron: packageVersion(),
    created: new Date().toISOString(),
    model: { ...model, files, sha256: files && hashOfFiles(files) },
    machine,
    llama,
    engine: engine && { ...engine, fresh },
    question,
    questionSha256: jsonHash(question),
    format: {
      name: chosen.format.name,
      by: chosen.choice?.by ?? 'caller',
      source: chosen.choice?.source ?? chosen.format.source,
    },
    asked,
    askedSha256: jsonHash(asked),
    plan,
    seeds,
    prompts: variants.map(({ order, prompt }, i) => {
      const tokens = fit.tokens[i]!;
      return { order, tokens, sha256: tokens && tokenHash(tokens), textSha256: textHash(textOf(prompt.segments)) };
    }),
    samples: conclusion.samples,
    cost: { promptTokens, sampledTokens, milliseconds },
    result: resultOf(conclusion, scores, interrupted),
  });
}

/** Evidence whose model file has been hashed after all; unchanged if it has a hash, or `files` is null. */
export function withHash(evidence: Evidence, files: readonly FileHash[] | null): Evidence {
  if (evidence.model.files || !files) return evidence;
  return sealed({ ...evidence, model: { ...evidence.model, files, sha256: hashOfFiles(files) } });
}

/** An answer as JSON, each of its samples once: {@link readEvidence} takes those of the evidence from the answer. */
export function printed(answer: Answer): Omit<Answer, 'evidence'> & { readonly evidence: Omit<Evidence, 'samples'> } {
  const { samples: _, ...evidence } = answer.evidence;
  return { ...answer, evidence };
}

/** What closed the vote from outside is told by the vote; where there is none to close, by `interrupted`. */
export function resultOf(
  conclusion: Conclusion,
  scores: Answer['scores'],
  interrupted: Interruption | undefined,
): Evidence['result'] {
  const { answer, decision, reason, summary, votes, vote, set } = conclusion;
  return {
    answer,
    decision,
    reason: reason ?? null,
    summary,
    votes,
    stoppedBy: vote?.stoppedBy ?? (votes.notRun > 0 ? interrupted : undefined) ?? 'none',
    tie: vote?.tie ?? false,
    scores,
    ...(set !== undefined && { set }),
  };
}

/** The options, complete: what followed from the model and the engine is set too, so that a replay does the same elsewhere. */
function recordedOptions({ asked, chosen: { format, choice }, plan, variants }: Planned): Evidence['asked'] {
  const { question, prompt } = asked;
  const { task } = variants[0]!.prompt;
  // How many examples a known model is shown is part of what a replay has to be told.
  const shown = format.name === 'few-shot' && choice && prompt.shots === undefined;
  return {
    ...storedAsk(asked),
    format: format.name,
    maxTokens: plan.maxTokens,
    width: plan.waves[0]!,
    prompt: { ...prompt, ...(task && question.kind !== 'chat' && { task }), ...(shown && { shots: choice.shots }) },
  };
}
