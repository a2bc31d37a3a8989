import type { QuestionKind } from '../question/question.js';
import type { Demonstration } from './demonstration.js';
import type { Mode } from './format.js';

/**
 * Worked examples written for this project, for few-shot prompts when the user has no training split at hand. Benchmarks
 * under the authors' protocols never use them. The studies in the yes/no/maybe examples are invented.
 */
export function ownDemonstrations(kind: QuestionKind, mode: Mode, items: number): readonly Demonstration[] {
  if (mode === 'ranked') return [ranked(items)];
  if (kind === 'choice') return choices;
  return kind === 'boolean' ? booleans : [];
}

const choices: readonly Demonstration[] = [
  {
    question: {
      kind: 'choice',
      question:
        'A 24-year-old woman is tired and eats no meat. Her haemoglobin is 9.1 g/dL, mean corpuscular volume 70 fL and ferritin 5 ng/mL. Which deficiency is the most likely cause?',
      options: ['Folate', 'Vitamin B12', 'Iron', 'Copper'],
    },
    answer: 'C',
    explanation:
      'The anaemia is microcytic and the low ferritin means that iron stores are empty. Lack of folate or vitamin B12 makes red cells large. Lack of copper is rare and does not lower ferritin.',
  },
  {
    question: {
      kind: 'choice',
      question: 'Which electrolyte disturbance is a typical adverse effect of spironolactone?',
      options: ['Hyperkalaemia', 'Hypokalaemia', 'Hypernatraemia', 'Hypophosphataemia'],
    },
    answer: 'A',
    explanation:
      'Spironolactone blocks the aldosterone receptor in the collecting duct. Less sodium is taken up there and less potassium is excreted, so potassium in the blood rises.',
  },
  {
    question: {
      kind: 'choice',
      question: 'Which nerve is most often injured by a fracture of the surgical neck of the humerus?',
      options: ['Ulnar nerve', 'Median nerve', 'Radial nerve', 'Axillary nerve'],
    },
    answer: 'D',
    explanation:
      'The axillary nerve winds around the surgical neck of the humerus. The radial nerve lies at the shaft, the ulnar nerve behind the medial epicondyle, the median nerve in front of the elbow.',
  },
  {
    question: {
      kind: 'choice',
      question:
        'A two-year-old has had a cold for two days and now has a barking cough, hoarseness and inspiratory stridor. Which organism is the most common cause?',
      options: [
        'Streptococcus pyogenes',
        'Parainfluenza virus',
        'Haemophilus influenzae type b',
        'Bordetella pertussis',
      ],
    },
    answer: 'B',
    explanation:
      'A barking cough with stridor after a cold is croup, which parainfluenza viruses cause most often. Haemophilus influenzae type b causes epiglottitis, with drooling and no barking cough.',
  },
  {
    question: {
      kind: 'choice',
      question: 'Which hormone lowers the concentration of glucose in the blood?',
      options: ['Glucagon', 'Cortisol', 'Insulin', 'Adrenaline'],
    },
    answer: 'C',
    explanation:
      'Insulin moves glucose into muscle and fat and stops its release from the liver. Glucagon, cortisol and adrenaline all raise blood glucose.',
  },
];

const booleans: readonly Demonstration[] = [
  {
    question: {
      kind: 'boolean',
      context: [
        'Adults with mild hypertension (n = 412) were assigned to a diet with less salt or to their usual diet.',
        'After eight weeks systolic pressure had fallen by 5.1 mm Hg with less salt and by 0.4 mm Hg with the usual diet (p < 0.001).',
      ],
      question: 'Does eating less salt lower systolic pressure in mild hypertension?',
    },
    answer: 'yes',
    explanation:
      'Pressure fell more with less salt than with the usual diet, and the difference is unlikely to be chance.',
  },
  {
    question: {
      kind: 'boolean',
      context: [
        'Two hundred patients took a vitamin supplement or placebo from the first day of a common cold.',
        'Symptoms lasted 7.1 days with the supplement and 7.0 days with placebo (p = 0.81).',
      ],
      question: 'Does the supplement shorten a common cold?',
    },
    answer: 'no',
    explanation: 'Symptoms lasted as long with the supplement as with placebo.',
  },
  {
    question: {
      kind: 'boolean',
      context: [
        'Eighteen patients with chronic cough took the drug in two centres; recruitment ended early.',
        'Symptom scores improved in one centre and did not change in the other.',
      ],
      question: 'Does the drug relieve chronic cough?',
    },
    answer: 'maybe',
    explanation: 'The two centres disagree and the study is too small to decide.',
  },
  {
    question: {
      kind: 'boolean',
      context: [
        'Records of 1,940 patients after hip replacement were reviewed.',
        'Walking on the day of operation was followed by a median stay of 3 days, later walking by 5 days (p < 0.001).',
      ],
      question: 'Is early walking after hip replacement associated with a shorter stay in hospital?',
    },
    answer: 'yes',
    explanation:
      'Patients who walked on the day of operation left two days earlier, and the difference is significant.',
  },
  {
    question: {
      kind: 'boolean',
      context: [
        'Children with acute otitis media (n = 260) were treated for five or for ten days.',
        'Treatment failed in 9.2 % and in 8.9 % (difference 0.3 %, 95 % interval -6.7 to 7.3).',
      ],
      question: 'Does treatment fail clearly more often after five days than after ten?',
    },
    answer: 'no',
    explanation: 'Failure was about as frequent after five days as after ten.',
  },
];

function ranked(items: number): Demonstration {
  const names = [
    'Acute myocardial infarction',
    'Unstable angina',
    'Aortic dissection',
    'Pulmonary embolism',
    'Acute pericarditis',
  ].slice(0, items);
  return {
    question: {
      kind: 'open',
      question: 'A 58-year-old man has had crushing central chest pain for 40 minutes, with sweating and nausea.',
    },
    answer: `{"diagnoses": [${names.map(name => JSON.stringify(name)).join(', ')}]}`,
  };
}
