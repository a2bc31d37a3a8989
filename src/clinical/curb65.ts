import type { Random } from '../random/xoshiro.js';
import { condition, finding, type Score, sexOf, withAsides } from './score.js';

/**
 * CURB-65, the severity of community-acquired pneumonia: Lim, van der Eerden, Laing and others, Thorax
 * 2003;58(5):377-382. Urea in mmol/l, respiratory rate a minute, blood pressure in mmHg.
 */
export const curb65: Score = {
  name: 'curb-65',
  ask: "What is the patient's CURB-65 score?",
  range: [0, 5],
  draw(random) {
    const patient = drawPatient(random);
    const points = curb65Points(patient);
    const sex = sexOf(random.chance(50));
    const findings = withAsides(
      random,
      [
        ...condition(random, patient.confusion, ['confusion', 'new confusion'], points.confusion),
        finding(`urea ${patient.urea} mmol/l`, points.urea),
        finding(`respiratory rate ${patient.respiratoryRate}`, points.respiratoryRate),
        finding(`blood pressure ${patient.systolic}/${patient.diastolic}`, points.bloodPressure),
      ],
      ['cough', 'fever', 'chest pain', 'smoker', 'asthma', `pulse ${random.between(80, 125)}`],
    );
    return {
      opening: random.pick([`A ${sex} has pneumonia`, `Pneumonia in a ${sex}`]),
      findings: [finding(`age ${patient.age}`, points.age), ...findings],
    };
  },
};

export interface Curb65Patient {
  readonly confusion: boolean;
  readonly urea: number;
  readonly respiratoryRate: number;
  readonly systolic: number;
  readonly diastolic: number;
  readonly age: number;
}

export function curb65Points(patient: Curb65Patient) {
  return {
    confusion: patient.confusion ? 1 : 0,
    urea: patient.urea > 7 ? 1 : 0,
    respiratoryRate: patient.respiratoryRate >= 30 ? 1 : 0,
    bloodPressure: patient.systolic < 90 || patient.diastolic <= 60 ? 1 : 0,
    age: patient.age >= 65 ? 1 : 0,
  };
}

function drawPatient(random: Random): Curb65Patient {
  const [systolic, diastolic] = random.pick([
    [random.between(76, 89), random.between(40, 60)],
    [random.between(92, 118), random.between(50, 60)],
    [random.between(100, 150), random.between(62, 90)],
    [random.between(100, 150), random.between(62, 90)],
  ] as const);
  return {
    confusion: random.chance(45),
    urea: random.chance(50) ? random.between(8, 16) : random.between(3, 7),
    respiratoryRate: random.chance(50) ? random.between(30, 38) : random.between(16, 29),
    systolic,
    diastolic,
    age: random.chance(50) ? random.between(65, 92) : random.between(30, 64),
  };
}
