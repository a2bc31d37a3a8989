import type { Random } from '../random/xoshiro.js';
import { article, condition, finding, type Score, sexOf, withAsides } from './score.js';

/**
 * qSOFA, the bedside signs of sepsis: Seymour, Liu, Iwashyna and others, JAMA 2016;315(8):762-774, and Singer and
 * others (Sepsis-3), JAMA 2016;315(8):801-810, Box 4. Respiratory rate a minute, systolic pressure in mmHg.
 */
export const qsofa: Score = {
  name: 'qsofa',
  ask: "What is the patient's qSOFA score?",
  range: [0, 3],
  draw(random) {
    const patient = drawPatient(random);
    const points = qsofaPoints(patient);
    const age = random.between(18, 92);
    const infection = random.pick(['pneumonia', 'cellulitis', 'cholangitis', 'a urinary infection', 'peritonitis']);
    const opening = random.pick([
      `${article(age)} ${age}-year-old ${sexOf(random.chance(50))} has ${infection}`,
      `A ${sexOf(random.chance(50))} aged ${age} is admitted with ${infection}`,
    ]);
    const findings = withAsides(
      random,
      [
        finding(`respiratory rate ${patient.respiratoryRate}`, points.respiratoryRate),
        finding(`systolic pressure ${patient.systolic}`, points.systolic),
        ...condition(random, patient.alteredMentation, ['altered mentation', 'confusion'], points.alteredMentation),
      ],
      ['fever', 'chills', 'vomiting', 'diabetes', `pulse ${random.between(70, 130)}`],
    );
    return { opening, findings };
  },
};

export interface QsofaPatient {
  readonly respiratoryRate: number;
  readonly systolic: number;
  /** A Glasgow Coma Scale below 15. */
  readonly alteredMentation: boolean;
}

export function qsofaPoints(patient: QsofaPatient) {
  return {
    respiratoryRate: patient.respiratoryRate >= 22 ? 1 : 0,
    systolic: patient.systolic <= 100 ? 1 : 0,
    alteredMentation: patient.alteredMentation ? 1 : 0,
  };
}

function drawPatient(random: Random): QsofaPatient {
  return {
    respiratoryRate: random.chance(50) ? random.between(22, 36) : random.between(12, 21),
    systolic: random.chance(50) ? random.between(76, 100) : random.between(101, 150),
    alteredMentation: random.chance(50),
  };
}
