import type { Random } from '../random/xoshiro.js';
import { condition, type Finding, finding, type Score, sexOf, withAsides } from './score.js';

/**
 * HAS-BLED, the risk of major bleeding in atrial fibrillation: Pisters, Lane, Nieuwlaat, de Vos, Crijns and Lip, Chest
 * 2010;138(5):1093-1100, Table 5. Hypertension is a systolic pressure above 160 mmHg; elderly is above 65 years.
 */
export const hasbled: Score = {
  name: 'has-bled',
  ask: "What is the patient's HAS-BLED score?",
  range: [0, 9],
  draw(random) {
    const patient = drawPatient(random);
    const points = hasbledPoints(patient);
    const sex = sexOf(random.chance(50));
    const pressure: Finding[] =
      patient.systolic === undefined ? [] : [finding(`systolic pressure ${patient.systolic}`, points.hypertension)];
    const findings = withAsides(
      random,
      [
        ...pressure,
        ...condition(random, patient.renal, ['dialysis', 'kidney transplant'], points.renal),
        ...condition(random, patient.liver, ['cirrhosis'], points.liver),
        ...condition(random, patient.stroke, ['previous stroke'], points.stroke),
        ...condition(random, patient.bleeding, ['major bleeding', 'anaemia'], points.bleeding),
        ...condition(random, patient.labileInr, ['labile INR'], points.labileInr),
        ...condition(random, patient.drugs, ['aspirin', 'ibuprofen'], points.drugs),
        ...condition(random, patient.alcohol, ['alcohol abuse'], points.alcohol),
      ],
      ['gout', 'asthma', 'migraine', 'psoriasis', 'glaucoma', 'hypothyroidism'],
    );
    return {
      opening: random.pick([`A ${sex} takes warfarin`, `Warfarin in a ${sex}`]),
      findings: [finding(`age ${patient.age}`, points.elderly), ...findings],
    };
  },
};

export interface HasbledPatient {
  /** In mmHg; undefined when it was not measured, which counts as not above 160. */
  readonly systolic: number | undefined;
  /** Dialysis, transplantation or a creatinine of 200 umol/l or more. */
  readonly renal: boolean;
  /** Chronic liver disease such as cirrhosis, or marked biochemical derangement. */
  readonly liver: boolean;
  readonly stroke: boolean;
  /** Previous bleeding or a predisposition to it, such as anaemia. */
  readonly bleeding: boolean;
  readonly labileInr: boolean;
  readonly age: number;
  /** Antiplatelet agents or non-steroidal anti-inflammatory drugs. */
  readonly drugs: boolean;
  readonly alcohol: boolean;
}

export function hasbledPoints(patient: HasbledPatient) {
  return {
    hypertension: patient.systolic !== undefined && patient.systolic > 160 ? 1 : 0,
    renal: patient.renal ? 1 : 0,
    liver: patient.liver ? 1 : 0,
    stroke: patient.stroke ? 1 : 0,
    bleeding: patient.bleeding ? 1 : 0,
    labileInr: patient.labileInr ? 1 : 0,
    elderly: patient.age > 65 ? 1 : 0,
    drugs: patient.drugs ? 1 : 0,
    alcohol: patient.alcohol ? 1 : 0,
  };
}

function drawPatient(random: Random): HasbledPatient {
  return {
    systolic: random.pick([undefined, random.between(120, 160), random.between(161, 190)]),
    renal: random.chance(33),
    liver: random.chance(33),
    stroke: random.chance(33),
    bleeding: random.chance(33),
    labileInr: random.chance(33),
    age: random.chance(50) ? random.between(66, 92) : random.between(40, 65),
    drugs: random.chance(33),
    alcohol: random.chance(33),
  };
}
