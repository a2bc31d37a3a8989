import type { Random } from '../random/xoshiro.js';

/** A clinical score that questions can be drawn about. */
export interface Score {
  /** As it is written on the command line and in question ids. */
  readonly name: ScoreName;
  /** The sentence that ends the question. */
  readonly ask: string;
  /** The smallest and largest total the rules allow. */
  readonly range: readonly [min: number, max: number];
  /** Draws a patient and tells what is known about them. */
  draw(random: Random): Vignette;
}

export type ScoreName = 'cha2ds2-vasc' | 'curb-65' | 'gcs' | 'has-bled' | 'qsofa' | 'wells-dvt';

/** A patient in words, and what each thing said is worth. */
export interface Vignette {
  /** The beginning of the sentence that `findings` end. */
  readonly opening: string;
  /** At least one, in the order in which they are said and added up. */
  readonly findings: readonly Finding[];
}

/** One thing the vignette says: `{ text: 'age 76', points: 2 }`. What is denied or beside the point is worth 0. */
export interface Finding {
  readonly text: string;
  readonly points: number;
}

export function totalOf(findings: readonly Finding[]): number {
  return findings.reduce((sum, { points }) => sum + points, 0);
}

export function finding(text: string, points: number): Finding {
  return { text, points };
}

/**
 * A condition that is present, denied or not mentioned. One that is absent is denied one time in three, so that a
 * mention alone proves nothing.
 */
export function condition(random: Random, present: boolean, phrases: readonly string[], points: number): Finding[] {
  const phrase = random.pick(phrases);
  if (present) return [finding(phrase, points)];
  return random.chance(33) ? [finding(`no ${phrase}`, 0)] : [];
}

/**
 * Findings in the order of the score's own list, with up to two things put in anywhere that are true, plausible and beside
 * the point.
 */
export function withAsides(random: Random, findings: readonly Finding[], asides: readonly string[]): Finding[] {
  const all = [...findings];
  const count = random.pick([0, 1, 1, 2]);
  for (const text of random.shuffled(asides).slice(0, count))
    all.splice(random.below(all.length + 1), 0, finding(text, 0));
  return all;
}

/** The article before `{age}-year-old`: an 18-year-old, an 80-year-old, a 76-year-old. */
export function article(age: number): 'A' | 'An' {
  return age === 18 || (age >= 80 && age <= 89) ? 'An' : 'A';
}

export function sexOf(female: boolean): 'woman' | 'man' {
  return female ? 'woman' : 'man';
}
