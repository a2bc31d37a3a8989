import { basename } from 'node:path';
import { Hono } from 'hono';
import * as v from 'valibot';
import type { Answer } from '../../ask/types.js';
import { jsonHash } from '../../check/seal.js';
import { concludePanel, spokenOf } from '../../panel/conclude.js';
import { memberNames } from '../../panel/members.js';
import { recordOf } from '../../panel/record/record.js';
import { type MemberReport, membersOfPanel } from '../../panel/types.js';
import type { Question } from '../../prompt/question/question.js';
import { RequestError } from '../error.js';
import type { Pool, ServedModel } from '../pool/pool.js';
import type { Asks } from './asks.js';
import { bodyOf } from './body.js';
import type { Catalogue } from './catalogue.js';
import { failureOf } from './failure.js';
import type { LiveAsk } from './live.js';
import type { PanelTold } from './protocol.js';

export const panelRequest = v.strictObject({
  asks: v.pipe(v.array(v.string()), v.minLength(1, 'at least one id')),
  unasked: v.optional(v.array(v.string()), []),
});

/** A model of a panel and what its ask came to. */
interface Member {
  readonly model: ServedModel;
  readonly question: Question | null;
  readonly answer: Answer | null;
  readonly error: MemberReport['error'];
}

/** What asks of one question to several models come to together: they have been answered, and nothing is computed. */
export function panelRoutes(pool: Pool, asks: Asks, catalogue: Catalogue): Hono {
  return new Hono().post('/v1/meditron/panel', async c => {
    const { asks: ids, unasked } = await bodyOf(c, panelRequest);
    const members = [
      ...ids.map(id => memberOf(pool, asks.find(id))),
      ...unasked.map(name => ({ model: pool.find(name), question: null, answer: null, error: null })),
    ];
    checkMembers(members);
    return c.json<PanelTold>(await told(members, catalogue));
  });
}

function memberOf(pool: Pool, { work, running, answer, failure }: LiveAsk): Member {
  if (running) throw new RequestError(409, 'Expected `asks` to have ended, got one that runs', 'asks');
  const { code, message } = failureOf(failure);
  const wasStopped = code === 'ERR_ABORTED';
  return {
    model: pool.find(work.model),
    question: work.question,
    answer: answer ?? null,
    error: answer || wasStopped ? null : { code, message },
  };
}

/** @throws RequestError 400 for what makes no panel */
function checkMembers(members: readonly Member[]): void {
  const { least, most } = membersOfPanel;
  const refused = (expected: string) =>
    new RequestError(400, `Expected \`asks\` to be ${expected}`, 'asks', {}, 'ERR_OPTION');
  if (members.length < least || members.length > most)
    throw refused(`of ${least} to ${most} models, got ${members.length}`);
  const asked = members.flatMap(({ question }) => (question ? [jsonHash(question)] : []));
  if (new Set(asked).size > 1) throw refused('of one question, got different ones');
  const files = members.map(({ model, answer }) => answer?.evidence.model.sha256 ?? model.path);
  const names = members.map(({ model }) => model.name);
  if (new Set(files).size < members.length || new Set(names).size < members.length)
    throw refused('of different models, got the same one twice');
}

async function told(members: readonly Member[], catalogue: Catalogue): Promise<PanelTold> {
  const names = memberNames(members.map(({ model }) => model.path));
  const answers = members.map(({ answer }) => answer);
  const reports = await Promise.all(
    members.map(
      async ({ model, answer, error }, i): Promise<MemberReport> => ({
        name: names[i]!,
        file: basename(model.path),
        called: null,
        family: await catalogue.familyOf(model.path),
        measured: null,
        state: answer ? 'answered' : error ? 'failed' : 'not-asked',
        error,
      }),
    ),
  );
  const interrupted = interruptionOf(members);
  const result = concludePanel(spokenOf(reports, answers), interrupted);
  const records = reports.map((report, i) => ({ ...report, evidence: answers[i]?.evidence ?? null }));
  return { ...result, members: reports, evidence: recordOf(records, result, interrupted) };
}

function interruptionOf(members: readonly Member[]): 'deadline' | 'aborted' | null {
  const reasons = members.map(({ answer, error }) => (answer ? answer.reason : error ? null : 'aborted'));
  return reasons.includes('aborted') ? 'aborted' : reasons.includes('deadline') ? 'deadline' : null;
}
