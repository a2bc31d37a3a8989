import type { Random } from '../random/xoshiro.js';
import { condition, finding, type Score, withAsides } from './score.js';

/**
 * CHA2DS2-VASc, the risk of stroke in non-valvular atrial fibrillation: Lip, Nieuwlaat, Pisters, Lane and Crijns,
 * Chest 2010;137(2):263-272, Table 2.
 */
export const cha2ds2vasc: Score = {
  name: 'cha2ds2-vasc',
  ask: "What is the patient's CHA2DS2-VASc score?",
  range: [0, 9],
  draw(random) {
    const patient = drawPatient(random);
    const points = cha2ds2vascPoints(patient);
    const history = withAsides(
      random,
      [
        ...condition(random, patient.heartFailure, ['heart failure'], points.heartFailure),
        ...condition(random, patient.hypertension, ['hypertension', 'high blood pressure'], points.hypertension),
        ...condition(random, patient.diabetes, ['diabetes'], points.diabetes),
        ...condition(random, patient.stroke, ['previous stroke', 'previous TIA'], points.stroke),
        ...condition(random, patient.vascular, ['myocardial infarction', 'peripheral artery disease'], points.vascular),
      ],
      ['gout', 'asthma', 'migraine', 'psoriasis', 'glaucoma', 'hypothyroidism'],
    );
    return {
      opening: random.pick(['Atrial fibrillation', 'A patient has atrial fibrillation', 'New atrial fibrillation']),
      findings: [
        finding(`age ${patient.age}`, points.age),
        finding(patient.female ? 'female' : 'male', points.sex),
        ...history,
      ],
    };
  },
};

export interface Cha2ds2vascPatient {
  readonly age: number;
  readonly female: boolean;
  readonly heartFailure: boolean;
  readonly hypertension: boolean;
  readonly diabetes: boolean;
  /** Stroke, transient ischaemic attack or thromboembolism. */
  readonly stroke: boolean;
  /** Myocardial infarction, peripheral artery disease or aortic plaque. */
  readonly vascular: boolean;
}

export function cha2ds2vascPoints(patient: Cha2ds2vascPatient) {
  return {
    heartFailure: patient.heartFailure ? 1 : 0,
    hypertension: patient.hypertension ? 1 : 0,
    age: patient.age >= 75 ? 2 : patient.age >= 65 ? 1 : 0,
    diabetes: patient.diabetes ? 1 : 0,
    stroke: patient.stroke ? 2 : 0,
    vascular: patient.vascular ? 1 : 0,
    sex: patient.female ? 1 : 0,
  };
}

function drawPatient(random: Random): Cha2ds2vascPatient {
  return {
    age: random.pick([random.between(40, 64), random.between(65, 74), random.between(75, 92)]),
    female: random.chance(50),
    heartFailure: random.chance(45),
    hypertension: random.chance(50),
    diabetes: random.chance(45),
    stroke: random.chance(40),
    vascular: random.chance(40),
  };
}
