import { packageVersion } from '../../check/project.js';

// What the menu says, in plain words and lines that a screen reader can read.

export const title = () => `Meditron ${packageVersion()}

For health professionals, to check and to learn. A research model: it can be
wrong, and is not for treating patients. Decisions stay with whoever examines
the patient. Nothing you type is stored. Nothing leaves this computer.
`;

export const howToAsk = `Paste or type the case and the question, with its options if it has any:
lettered, numbered or bulleted, each on a line of its own.
When all of it is there, press Enter twice on empty lines.
Or drag a text file into this window and press Enter.
To go back without asking: Ctrl-C.
`;

export const howToChat = `The conversation stays in memory and is stored nowhere.
To come back to the menu, type /exit and press Enter.
`;

export const pageOpens = (address: string) => `The page opens in the browser. If it does not, open this address there:
${address}
It is served by this program to this computer alone, and works without a network.

`;

export const pageStays = (address: string) => `No browser could be opened. Open this address in one:
${address}
It is served by this program to this computer alone, and works without a network.

`;

export const about = () => `Meditron ${packageVersion()} runs medical language models on this computer, offline.
It asks a model the same question several times ("chains": separate tries at
the same question) and counts how far the answers agree.

What it is: a tool for health professionals, to check and to learn.
What it is not: a medical device. It is not for emergencies, and not for
treating patients. The authors of MEDITRON advise against using their model in
medical practice without further testing and trials. Agreement shows how
steady a model is, not whether it is right.

The model that comes with Meditron is a demonstration: a tiny model that was
trained on invented patients to add up six clinical scores. It knows nothing
else. MEDITRON's own models do not come with it: add one (menu: choose another
model).

Nothing you type and nothing that is answered is stored. Nothing leaves this
computer. What is remembered from one start to the next is which graphics
cards can compute.
`;

export const keep = {
  none: 'Here, nothing at all is remembered.\n',
  in: (folder: string) => `It is remembered in ${folder}\n`,
};
