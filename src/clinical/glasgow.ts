import type { Random } from '../random/xoshiro.js';
import { article, finding, type Score, sexOf, withAsides } from './score.js';

/**
 * The Glasgow Coma Scale: Teasdale and Jennett, Lancet 1974;304(7872):81-84, with the flexion response divided into
 * withdrawal and abnormal flexion (Teasdale and Jennett, Acta Neurochirurgica 1976;34:45-55), which gives 3 to 15.
 */
export const glasgow: Score = {
  name: 'gcs',
  ask: "What is the patient's Glasgow Coma Scale score?",
  range: [3, 15],
  draw(random) {
    const patient = drawPatient(random);
    const sex = sexOf(random.chance(50));
    const age = random.between(18, 90);
    const cause = random.pick(['a fall', 'a seizure', 'a car crash', 'a head injury', 'an overdose', 'surgery']);
    const opening = random.pick([
      `${article(age)} ${age}-year-old ${sex} is examined after ${cause}`,
      `After ${cause}, a ${sex} aged ${age} is examined`,
    ]);
    const points = glasgowPoints(patient);
    const findings = withAsides(
      random,
      [
        finding(patient.eyes, points.eyes),
        finding(patient.verbal, points.verbal),
        finding(patient.motor, points.motor),
      ],
      ['equal pupils', 'neck pain', 'vomiting', `pulse ${random.between(55, 120)}`],
    );
    return { opening, findings };
  },
};

export interface GlasgowPatient {
  readonly eyes: keyof typeof eyes;
  readonly verbal: keyof typeof verbal;
  readonly motor: keyof typeof motor;
}

export function glasgowPoints(patient: GlasgowPatient) {
  return { eyes: eyes[patient.eyes], verbal: verbal[patient.verbal], motor: motor[patient.motor] };
}

const eyes = { 'eyes open spontaneously': 4, 'eyes open to speech': 3, 'eyes open to pain': 2, 'eyes closed': 1 };
const verbal = {
  'oriented speech': 5,
  'confused speech': 4,
  'inappropriate words': 3,
  'incomprehensible sounds': 2,
  'no verbal response': 1,
};
const motor = {
  'obeys commands': 6,
  'localises pain': 5,
  'withdraws from pain': 4,
  'abnormal flexion': 3,
  'extension to pain': 2,
  'no motor response': 1,
};

function drawPatient(random: Random): GlasgowPatient {
  return {
    eyes: random.pick(Object.keys(eyes) as (keyof typeof eyes)[]),
    verbal: random.pick(Object.keys(verbal) as (keyof typeof verbal)[]),
    motor: random.pick(Object.keys(motor) as (keyof typeof motor)[]),
  };
}
