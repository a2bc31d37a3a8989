import { answerCue, hashes, lineMarkers, specialTokens } from '../hygiene/marker.js';
import { fixed, join, prompt } from '../segment.js';
import type { FormatName, PromptFormat } from './format.js';
import { baseTokens, stopsFor } from './stops.js';
import { blankBefore, chatTurn, prefill, systemOf, turnsOf } from './turn.js';

/** The system text as the paper prints it (arXiv 2311.16079, appendix E.1). */
export const paperSystem =
  "You are a helpful, respectful, and honest assistant. Always answer as helpfully as possible while being safe. Your answers should not include any harmful, unethical, racist, sexist, toxic, dangerous, or illegal content. Please ensure that your responses are socially unbiased and positive in nature.\n\nIf a question does not make any sense, or is not factually coherent, explain why instead of answering something not correct. If you don't know the answer to a question, please don't share false information.";

/** The same as the authors' code has it, sentences joined without spaces (epfLLM/meditron evaluation/inference.py). */
export const joinedSystem =
  "You are a helpful, respectful and honest assistant.Always answer as helpfully as possible, while being safe.Your answers should not include any harmful, unethical, racist, sexist, toxic, dangerous, or illegal content.Please ensure that your responses are socially unbiased and positive in nature.\n\nIf a question does not make any sense, or is not factually coherent, explain why instead of answering something not correct.If you don't know the answer to a question, please don't share false information.";

/** The example turn of the authors' deployment advice (epfLLM/meditron deployment/README.md). */
const exampleQuestion = 'What happens if listeria is left untreated?';
export const exampleAnswer = `If listeria infection, or listeriosis, is left untreated, it can lead to severe health complications, particularly in certain high-risk groups. Here's a general overview of the potential outcomes:

1. Spread of the Infection: Untreated listeriosis can spread beyond the gut to other parts of the body, including the nervous system. This can lead to more severe conditions like meningitis (inflammation of the membranes surrounding the brain and spinal cord) and septicemia (a serious blood infection).
2. Increased Risk for Certain Groups: Pregnant women, newborns, the elderly, and individuals with weakened immune systems are at a higher risk of severe complications. In pregnant women, listeriosis can lead to miscarriage, stillbirth, premature delivery, or life-threatening infection of the newborn.
3. Neurological Effects: Listeriosis can cause severe neurological symptoms like headaches, stiff neck, confusion, loss of balance, and convulsions, especially when the infection spreads to the nervous system.
4. Long-Term Health Impacts: For some, particularly those with pre-existing health conditions or weakened immune systems, the health impacts of listeriosis can be long-lasting and may not fully resolve even with treatment.
5. Fatalities: In severe cases, particularly among high-risk groups, listeriosis can be fatal.

It's important to note that early diagnosis and appropriate treatment, typically with antibiotics, can greatly improve the prognosis for those with listeriosis. Therefore, seeking medical attention promptly if listeriosis is suspected is crucial.`;

/** A conversation that opens with one example turn: what the authors advise for talking to base weights. */
export const oneShot: PromptFormat = conversation(
  'one-shot',
  'conversation with one example turn, for base weights',
  true,
);

/** The same without the example turn (`zero_shot_medical`). */
export const zeroShot: PromptFormat = conversation(
  'zero-shot',
  'conversation without an example turn, for base weights',
  false,
);

function conversation(name: FormatName, description: string, withExample: boolean): PromptFormat {
  return {
    name,
    description,
    source: 'epfLLM/meditron deployment/README.md; arXiv 2311.16079, appendix E.1',
    accepts: { chat: true, system: true, demonstrations: false },
    markers: [specialTokens, answerCue, hashes, lineMarkers('User', 'Assistant')],
    blankLineEnds: false,
    // A line that opens with "User:" is a turn the model wrote for the user.
    stops: input => stopsFor(input, baseTokens, ['###', '\nUser:']),
    build(input) {
      const ours = input.protocol === 'authors-code' ? joinedSystem : paperSystem;
      const system = systemOf(input) ?? fixed(ours);
      const example = withExample
        ? prompt`\n### User: ${fixed(exampleQuestion)}\n### Assistant: ${fixed(exampleAnswer)}`
        : [];
      const turns = turnsOf(input, chatTurn).map(
        ({ role, content }) =>
          prompt`\n### ${fixed(role === 'user' ? 'User:' : 'Assistant:')}${blankBefore(content)}${content}`,
      );
      const spoken = prefill(input);
      return prompt`${system}${example}${join(turns, '')}\n### Assistant:${fixed(spoken && ` ${spoken}`)}`;
    },
    continuation: (_, label) => ` ${label}`,
  };
}
