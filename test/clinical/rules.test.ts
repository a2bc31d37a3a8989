import { describe, expect, test } from 'vitest';
import { cha2ds2vascPoints } from '../../src/clinical/cha2ds2vasc.js';
import { curb65Points } from '../../src/clinical/curb65.js';
import { glasgowPoints } from '../../src/clinical/glasgow.js';
import { hasbledPoints } from '../../src/clinical/hasbled.js';
import { qsofaPoints } from '../../src/clinical/qsofa.js';
import { wellsPoints } from '../../src/clinical/wells.js';

// Expectations are written by hand from the tables of the publications named in each file.

const total = (points: Readonly<Record<string, number>>) => Object.values(points).reduce((a, b) => a + b, 0);

describe('CHA2DS2-VASc (Lip 2010, Table 2)', () => {
  const well = {
    age: 50,
    female: false,
    heartFailure: false,
    hypertension: false,
    diabetes: false,
    stroke: false,
    vascular: false,
  };
  const all = {
    age: 75,
    female: true,
    heartFailure: true,
    hypertension: true,
    diabetes: true,
    stroke: true,
    vascular: true,
  };
  test.each([
    ['a man of 50 with nothing else scores 0', {}, 0],
    ['a man of 64 is too young for a point', { age: 64 }, 0],
    ['65 years are worth 1', { age: 65 }, 1],
    ['74 years are worth 1', { age: 74 }, 1],
    ['75 years are worth 2', { age: 75 }, 2],
    ['female sex is worth 1', { female: true }, 1],
    ['heart failure is worth 1', { heartFailure: true }, 1],
    ['hypertension is worth 1', { hypertension: true }, 1],
    ['diabetes is worth 1', { diabetes: true }, 1],
    ['a stroke or TIA is worth 2', { stroke: true }, 2],
    ['vascular disease is worth 1', { vascular: true }, 1],
    [
      'a woman of 76 with hypertension and a TIA scores 6',
      { age: 76, female: true, hypertension: true, stroke: true },
      6,
    ],
    ['a man of 68 with diabetes and an old infarction scores 3', { age: 68, diabetes: true, vascular: true }, 3],
    ['everything together scores the maximum of 9', all, 9],
  ])('%s', (_, patient, expected) => {
    expect(total(cha2ds2vascPoints({ ...well, ...patient }))).toBe(expected);
  });
});

describe('CURB-65 (Lim 2003)', () => {
  const well = { confusion: false, urea: 5, respiratoryRate: 18, systolic: 125, diastolic: 75, age: 40 };
  test.each([
    ['nothing abnormal scores 0', {}, 0],
    ['confusion is worth 1', { confusion: true }, 1],
    ['a urea of 7 is not above 7', { urea: 7 }, 0],
    ['a urea of 7.1 is', { urea: 7.1 }, 1],
    ['29 breaths are too few', { respiratoryRate: 29 }, 0],
    ['30 breaths are worth 1', { respiratoryRate: 30 }, 1],
    ['a systolic pressure of 90 is not below 90', { systolic: 90 }, 0],
    ['a systolic pressure of 89 is', { systolic: 89 }, 1],
    ['a diastolic pressure of 61 is not low', { diastolic: 61 }, 0],
    ['a diastolic pressure of 60 is', { diastolic: 60 }, 1],
    ['both pressures low are still worth 1', { systolic: 80, diastolic: 45 }, 1],
    ['64 years are worth nothing', { age: 64 }, 0],
    ['65 years are worth 1', { age: 65 }, 1],
    [
      'everything together scores the maximum of 5',
      { confusion: true, urea: 12, respiratoryRate: 34, systolic: 82, age: 80 },
      5,
    ],
  ])('%s', (_, patient, expected) => {
    expect(total(curb65Points({ ...well, ...patient }))).toBe(expected);
  });
});

describe('Glasgow Coma Scale (Teasdale and Jennett 1974, 1976)', () => {
  test.each([
    ['fully awake is 15', 'eyes open spontaneously', 'oriented speech', 'obeys commands', 15],
    ['no response at all is 3', 'eyes closed', 'no verbal response', 'no motor response', 3],
    ['confused but otherwise well is 14', 'eyes open spontaneously', 'confused speech', 'obeys commands', 14],
    ['E2 V2 M3 is 7', 'eyes open to pain', 'incomprehensible sounds', 'abnormal flexion', 7],
    ['E3 V3 M5 is 11', 'eyes open to speech', 'inappropriate words', 'localises pain', 11],
    ['E1 V1 M2 is 4', 'eyes closed', 'no verbal response', 'extension to pain', 4],
    ['E2 V1 M4 is 7', 'eyes open to pain', 'no verbal response', 'withdraws from pain', 7],
  ] as const)('%s', (_, eyes, verbal, motor, expected) => {
    expect(total(glasgowPoints({ eyes, verbal, motor }))).toBe(expected);
  });
});

describe('HAS-BLED (Pisters 2010, Table 5)', () => {
  const well = {
    systolic: 130,
    renal: false,
    liver: false,
    stroke: false,
    bleeding: false,
    labileInr: false,
    age: 50,
    drugs: false,
    alcohol: false,
  };
  const all = {
    systolic: 180,
    renal: true,
    liver: true,
    stroke: true,
    bleeding: true,
    labileInr: true,
    age: 70,
    drugs: true,
    alcohol: true,
  };
  test.each([
    ['nothing scores 0', {}, 0],
    ['a systolic pressure of 160 is not above 160', { systolic: 160 }, 0],
    ['161 is', { systolic: 161 }, 1],
    ['a pressure nobody measured is worth nothing', { systolic: undefined }, 0],
    ['kidney disease is worth 1', { renal: true }, 1],
    ['liver disease is worth 1', { liver: true }, 1],
    ['kidney and liver are worth 2', { renal: true, liver: true }, 2],
    ['a stroke is worth 1', { stroke: true }, 1],
    ['bleeding is worth 1', { bleeding: true }, 1],
    ['a labile INR is worth 1', { labileInr: true }, 1],
    ['65 years are not above 65', { age: 65 }, 0],
    ['66 years are', { age: 66 }, 1],
    ['drugs and alcohol are worth 2', { drugs: true, alcohol: true }, 2],
    ['everything together scores the maximum of 9', all, 9],
  ])('%s', (_, patient, expected) => {
    expect(total(hasbledPoints({ ...well, ...patient }))).toBe(expected);
  });
});

describe('qSOFA (Seymour 2016; Singer 2016, Box 4)', () => {
  test.each([
    ['21 breaths, 101 mmHg and a clear mind score 0', 21, 101, false, 0],
    ['22 breaths are worth 1', 22, 120, false, 1],
    ['a systolic pressure of 100 is worth 1', 16, 100, false, 1],
    ['altered mentation is worth 1', 16, 120, true, 1],
    ['all three score 3', 28, 85, true, 3],
  ])('%s', (_, respiratoryRate, systolic, alteredMentation, expected) => {
    expect(total(qsofaPoints({ respiratoryRate, systolic, alteredMentation }))).toBe(expected);
  });
});

describe('Wells score for DVT (Wells 2003, Table 1)', () => {
  const well = {
    cancer: false,
    immobilised: false,
    bedridden: false,
    tenderness: false,
    legSwollen: false,
    calfDifference: 0,
    pittingOedema: false,
    collateralVeins: false,
    previousDvt: false,
    alternativeLikely: false,
  };
  const everySign = {
    cancer: true,
    immobilised: true,
    bedridden: true,
    tenderness: true,
    legSwollen: true,
    calfDifference: 4,
    pittingOedema: true,
    collateralVeins: true,
    previousDvt: true,
  };
  test.each([
    ['nothing scores 0', {}, 0],
    ['active cancer is worth 1', { cancer: true }, 1],
    ['a plaster cast is worth 1', { immobilised: true }, 1],
    ['bed rest or surgery is worth 1', { bedridden: true }, 1],
    ['tenderness is worth 1', { tenderness: true }, 1],
    ['a swollen leg is worth 1', { legSwollen: true }, 1],
    ['a calf 2 cm thicker is worth nothing', { calfDifference: 2 }, 0],
    ['a calf 3 cm thicker is worth 1', { calfDifference: 3 }, 1],
    ['pitting oedema is worth 1', { pittingOedema: true }, 1],
    ['collateral veins are worth 1', { collateralVeins: true }, 1],
    ['a previous DVT is worth 1', { previousDvt: true }, 1],
    ['a likely alternative takes 2 away', { alternativeLikely: true }, -2],
    ['every sign scores the maximum of 9', everySign, 9],
    ['every sign and a likely alternative score 7', { ...everySign, alternativeLikely: true }, 7],
  ])('%s', (_, patient, expected) => {
    expect(total(wellsPoints({ ...well, ...patient }))).toBe(expected);
  });
});
