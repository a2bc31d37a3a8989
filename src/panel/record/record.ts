import { printed } from '../../ask/record/evidence.js';
import { packageVersion } from '../../check/project.js';
import { sealed } from '../../check/seal.js';
import { type PanelAnswer, type PanelRecord, panelSchema } from '../types.js';

/** What is kept of a panel, to run it again. */
export function recordOf(
  members: PanelRecord['members'],
  result: PanelRecord['result'],
  interrupted: PanelRecord['interrupted'],
): PanelRecord {
  return sealed<Omit<PanelRecord, 'sha256'>>({
    schema: panelSchema,
    meditron: packageVersion(),
    created: new Date().toISOString(),
    interrupted,
    members,
    result,
  });
}

/** A panel as JSON, each sample once: `readPanel` takes those of the evidence from the members' answers. */
export function printedPanel(answer: PanelAnswer) {
  const { members, evidence, ...rest } = answer;
  const shown = members.map(member => (member.answer === null ? null : printed(member.answer)));
  return {
    ...rest,
    members: members.map((member, i) => {
      if (!shown[i]) return { ...member, answer: null };
      const { evidence: _, ...told } = shown[i];
      return { ...member, answer: told };
    }),
    evidence: {
      ...evidence,
      members: evidence.members.map((member, i) => ({ ...member, evidence: shown[i]?.evidence ?? null })),
    },
  };
}
