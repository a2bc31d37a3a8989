import type { Interval } from '../../vote/count/uncertainty.js';
import type { Rate } from '../score/measure.js';

/** `66.7 %` */
export function percent(share: number): string {
  return Number.isNaN(share) ? '–' : `${(100 * share).toFixed(1)} %`;
}

/** `39.1–86.2 %` */
export function interval({ low, high }: Interval): string {
  return `${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)} %`;
}

/** `12 of 400 (3.0 %)` */
export function counted({ count, of }: Rate): string {
  return of === 0 ? 'none' : `${count} of ${of} (${percent(count / of)})`;
}

/** `12.4 s`, `310 ms` */
export function duration(ms: number): string {
  if (!(ms > 0)) return '–';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${(ms / 60_000).toFixed(1)} min`;
}

export function decimal(value: number | undefined, digits = 3): string {
  return value === undefined || Number.isNaN(value) ? '–' : value.toFixed(digits);
}

/** `p = 0.004`, `p < 0.001` */
export function probability(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;
}
