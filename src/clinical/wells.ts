import type { Random } from '../random/xoshiro.js';
import { article, condition, finding, type Score, sexOf, withAsides } from './score.js';

/**
 * The Wells score for deep vein thrombosis, with previous thrombosis as an item: Wells, Anderson, Rodger and others,
 * New England Journal of Medicine 2003;349(13):1227-1235, Table 1. Calf swelling is the difference in cm between the legs.
 */
export const wells: Score = {
  name: 'wells-dvt',
  ask: "What is the patient's Wells score for DVT?",
  range: [-2, 9],
  draw(random) {
    const patient = drawPatient(random);
    const points = wellsPoints(patient);
    const sex = sexOf(random.chance(50));
    const age = random.between(20, 90);
    const opening = random.pick([
      `${article(age)} ${age}-year-old ${sex} has a painful leg`,
      `Painful leg in a ${sex} aged ${age}`,
    ]);
    const findings = withAsides(
      random,
      [
        ...condition(random, patient.cancer, ['active cancer'], points.cancer),
        ...condition(random, patient.immobilised, ['leg paralysis', 'recent leg plaster'], points.immobilised),
        ...condition(random, patient.bedridden, ['recent bed rest', 'recent major surgery'], points.bedridden),
        ...condition(random, patient.tenderness, ['deep vein tenderness'], points.tenderness),
        ...condition(random, patient.legSwollen, ['swelling of the entire leg'], points.legSwollen),
        finding(`calf swelling ${patient.calfDifference} cm`, points.calfSwelling),
        ...condition(random, patient.pittingOedema, ['pitting oedema'], points.pittingOedema),
        ...condition(random, patient.collateralVeins, ['collateral veins'], points.collateralVeins),
        ...condition(random, patient.previousDvt, ['previous DVT'], points.previousDvt),
      ],
      ['gout', 'asthma', 'migraine', 'psoriasis', 'glaucoma', 'smoker'],
    );
    const alternative = patient.alternativeLikely ? [finding('alternative diagnosis likely', points.alternative)] : [];
    return { opening, findings: [...findings, ...alternative] };
  },
};

export interface WellsPatient {
  /** Treated within six months, or palliative. */
  readonly cancer: boolean;
  /** Paralysis, paresis or recent plaster immobilisation of a leg. */
  readonly immobilised: boolean;
  /** In bed for three days or more lately, or major surgery within twelve weeks. */
  readonly bedridden: boolean;
  readonly tenderness: boolean;
  readonly legSwollen: boolean;
  /** How much thicker the calf of this leg is, cm. */
  readonly calfDifference: number;
  readonly pittingOedema: boolean;
  readonly collateralVeins: boolean;
  readonly previousDvt: boolean;
  /** An alternative diagnosis is at least as likely as thrombosis. */
  readonly alternativeLikely: boolean;
}

export function wellsPoints(patient: WellsPatient) {
  return {
    cancer: patient.cancer ? 1 : 0,
    immobilised: patient.immobilised ? 1 : 0,
    bedridden: patient.bedridden ? 1 : 0,
    tenderness: patient.tenderness ? 1 : 0,
    legSwollen: patient.legSwollen ? 1 : 0,
    calfSwelling: patient.calfDifference >= 3 ? 1 : 0,
    pittingOedema: patient.pittingOedema ? 1 : 0,
    collateralVeins: patient.collateralVeins ? 1 : 0,
    previousDvt: patient.previousDvt ? 1 : 0,
    alternative: patient.alternativeLikely ? -2 : 0,
  };
}

function drawPatient(random: Random): WellsPatient {
  return {
    cancer: random.chance(33),
    immobilised: random.chance(33),
    bedridden: random.chance(33),
    tenderness: random.chance(33),
    legSwollen: random.chance(33),
    calfDifference: random.chance(50) ? random.between(0, 2) : random.between(3, 6),
    pittingOedema: random.chance(33),
    collateralVeins: random.chance(33),
    previousDvt: random.chance(33),
    alternativeLikely: random.chance(33),
  };
}
