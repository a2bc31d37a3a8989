import prettyBytes from 'pretty-bytes';
import prettyMilliseconds from 'pretty-ms';

/** Bytes in words, as `4.08 GB` (powers of ten, as files are listed). */
export function inBytes(bytes: number): string {
  return prettyBytes(bytes);
}

/** A duration in words, its two largest units: `50s`, `12m`, `3h 20m`. At least a second. */
export function inTime(milliseconds: number): string {
  const seconds = Math.max(1, Math.round(milliseconds / 1000));
  return prettyMilliseconds(seconds * 1000, { unitCount: 2 });
}

/** A speed: `7.4 tokens/s`, `128 tokens/s`. */
export function inTokensPerSecond(speed: number): string {
  return `${speed >= 10 ? Math.round(speed) : speed.toPrecision(2)} tokens/s`;
}
