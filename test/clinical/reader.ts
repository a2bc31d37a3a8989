import type { ClinicalQuestion } from '../../src/clinical/question.js';

/**
 * A second, independent way from a question to its answer: reads the words of the vignette and looks each up in tables
 * written by hand from the publications. Throws for anything it has no rule for.
 */
export function read({ score, question }: ClinicalQuestion): number {
  const told = /: (.*)\. What is /.exec(question)![1]!;
  return told.split(', ').reduce((sum, finding) => sum + pointsFor(score, finding), 0);
}

const beside = [
  ...[
    'gout',
    'asthma',
    'migraine',
    'psoriasis',
    'glaucoma',
    'hypothyroidism',
    'smoker',
    'cough',
    'fever',
    'chest pain',
  ],
  ...['chills', 'vomiting', 'equal pupils', 'neck pain'],
];

const worth: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  female: { 'cha2ds2-vasc': 1 },
  male: { 'cha2ds2-vasc': 0 },
  'heart failure': { 'cha2ds2-vasc': 1 },
  hypertension: { 'cha2ds2-vasc': 1 },
  'high blood pressure': { 'cha2ds2-vasc': 1 },
  diabetes: { 'cha2ds2-vasc': 1, qsofa: 0 },
  'previous stroke': { 'cha2ds2-vasc': 2, 'has-bled': 1 },
  'previous TIA': { 'cha2ds2-vasc': 2 },
  'myocardial infarction': { 'cha2ds2-vasc': 1 },
  'peripheral artery disease': { 'cha2ds2-vasc': 1 },
  confusion: { 'curb-65': 1, qsofa: 1 },
  'new confusion': { 'curb-65': 1 },
  'altered mentation': { qsofa: 1 },
  'eyes open spontaneously': { gcs: 4 },
  'eyes open to speech': { gcs: 3 },
  'eyes open to pain': { gcs: 2 },
  'eyes closed': { gcs: 1 },
  'oriented speech': { gcs: 5 },
  'confused speech': { gcs: 4 },
  'inappropriate words': { gcs: 3 },
  'incomprehensible sounds': { gcs: 2 },
  'no verbal response': { gcs: 1 },
  'obeys commands': { gcs: 6 },
  'localises pain': { gcs: 5 },
  'withdraws from pain': { gcs: 4 },
  'abnormal flexion': { gcs: 3 },
  'extension to pain': { gcs: 2 },
  'no motor response': { gcs: 1 },
  dialysis: { 'has-bled': 1 },
  'kidney transplant': { 'has-bled': 1 },
  cirrhosis: { 'has-bled': 1 },
  'major bleeding': { 'has-bled': 1 },
  anaemia: { 'has-bled': 1 },
  'labile INR': { 'has-bled': 1 },
  aspirin: { 'has-bled': 1 },
  ibuprofen: { 'has-bled': 1 },
  'alcohol abuse': { 'has-bled': 1 },
  'active cancer': { 'wells-dvt': 1 },
  'leg paralysis': { 'wells-dvt': 1 },
  'recent leg plaster': { 'wells-dvt': 1 },
  'recent bed rest': { 'wells-dvt': 1 },
  'recent major surgery': { 'wells-dvt': 1 },
  'deep vein tenderness': { 'wells-dvt': 1 },
  'swelling of the entire leg': { 'wells-dvt': 1 },
  'pitting oedema': { 'wells-dvt': 1 },
  'collateral veins': { 'wells-dvt': 1 },
  'previous DVT': { 'wells-dvt': 1 },
  'alternative diagnosis likely': { 'wells-dvt': -2 },
};

function pointsFor(score: string, finding: string): number {
  const known = worth[finding]?.[score];
  if (known !== undefined) return known;
  const [a, b] = finding.match(/\d+/g)?.map(Number) ?? [];
  if (beside.includes(finding) || finding.startsWith('pulse ')) return 0;
  if (finding.startsWith('no ') && worth[finding.slice(3)]?.[score] !== undefined) return 0;
  if (a === undefined) throw new Error(`No rule for "${finding}" in ${score}`);
  if (finding.startsWith('age ')) return pointsForAge(score, a);
  const rule = `${score}: ${finding.replace(/\d+/g, '#')}`;
  if (rule === 'curb-65: urea # mmol/l') return a > 7 ? 1 : 0;
  if (rule === 'curb-65: respiratory rate #') return a > 29 ? 1 : 0;
  if (rule === 'curb-65: blood pressure #/#') return a < 90 || b! < 61 ? 1 : 0;
  if (rule === 'qsofa: respiratory rate #') return a > 21 ? 1 : 0;
  if (rule === 'qsofa: systolic pressure #') return a < 101 ? 1 : 0;
  if (rule === 'has-bled: systolic pressure #') return a > 160 ? 1 : 0;
  if (rule === 'wells-dvt: calf swelling # cm') return a > 2 ? 1 : 0;
  throw new Error(`No rule for "${rule}"`);
}

function pointsForAge(score: string, age: number): number {
  if (score === 'cha2ds2-vasc') return age > 74 ? 2 : age > 64 ? 1 : 0;
  if (score === 'curb-65') return age > 64 ? 1 : 0;
  if (score === 'has-bled') return age > 65 ? 1 : 0;
  throw new Error(`${score} does not count age`);
}
