import { tensorType } from '../gguf/types.js';
import type { TensorSource } from '../gguf/writer.js';

/** Types floats can be packed into here. */
export const encodable = ['f32', 'f16', 'q8_0', 'q4_0', 'q5_0', 'q5_1', 'q4_K', 'q5_K', 'q6_K'] as const;

export type Encodable = (typeof encodable)[number];

/**
 * Packs rows of floats. Layouts are those of ggml/src/ggml-common.h; scales are found by plain rounding, without the
 * search of ggml-quants.c, so errors are up to a third larger than llama.cpp's.
 *
 * @param floats a multiple of the type's block size
 */
export function encode(type: Encodable, floats: Float32Array): Uint8Array {
  const { blockSize, blockBytes } = tensorType(type);
  if (floats.length % blockSize !== 0)
    throw new RangeError(`${floats.length} floats do not fill blocks of ${blockSize}`);
  if (type === 'f32') return new Uint8Array(floats.slice().buffer);
  const out = new Uint8Array((floats.length / blockSize) * blockBytes);
  if (type === 'f16') {
    const halves = new Uint16Array(out.buffer);
    for (let i = 0; i < floats.length; i++) halves[i] = toHalf(floats[i]!);
    return out;
  }
  const pack = packers[type];
  for (let i = 0, at = 0; i < floats.length; i += blockSize, at += blockBytes) pack(floats, i, out, at);
  return out;
}

/** A tensor to write from floats in memory, packed when its turn comes. */
export function floatTensor(
  name: string,
  dimensions: readonly number[],
  type: Encodable,
  floats: Float32Array,
): TensorSource {
  const count = dimensions.reduce((a, b) => a * b, 1);
  if (floats.length !== count)
    throw new RangeError(`Tensor ${name} has ${count} elements, got ${floats.length} floats`);
  if (dimensions[0]! % tensorType(type).blockSize !== 0) throw new RangeError(`Rows of ${name} do not fit ${type}`);
  return { name, dimensions, type: tensorType(type), data: () => [encode(type, floats)] };
}

const bits = new DataView(new ArrayBuffer(4));

/** IEEE half precision, ties to even. */
export function toHalf(value: number): number {
  bits.setFloat32(0, value);
  const x = bits.getUint32(0);
  const sign = (x >>> 16) & 0x8000;
  const magnitude = x & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x4780_0000) return sign | 0x7c00; // 65,536 and up
  if (magnitude < 0x3880_0000) return sign | Math.min(0x400, roundEven(Math.abs(value) * 2 ** 24)); // subnormal
  const rest = magnitude & 0x1fff;
  const half = (magnitude - 0x3800_0000) >>> 13;
  const up = rest > 0x1000 || (rest === 0x1000 && (half & 1) === 1);
  return sign | (half + (up ? 1 : 0));
}

export function fromHalf(half: number): number {
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  const sign = half & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

type Packer = (x: Float32Array, i: number, out: Uint8Array, at: number) => void;

const packers: Readonly<Record<Exclude<Encodable, 'f32' | 'f16'>, Packer>> = {
  q8_0: packQ8,
  q4_0: (x, i, out, at) => packSymmetric(x, i, out, at, 8),
  q5_0: (x, i, out, at) => packSymmetric(x, i, out, at, 16),
  q5_1: packQ51,
  q4_K: (x, i, out, at) => packScaled(x, i, out, at, 15),
  q5_K: (x, i, out, at) => packScaled(x, i, out, at, 31),
  q6_K: packQ6,
};

function packQ8(x: Float32Array, i: number, out: Uint8Array, at: number): void {
  let largest = 0;
  for (let j = 0; j < 32; j++) largest = Math.max(largest, Math.abs(x[i + j]!));
  const inverse = inverseOf(putHalf(out, at, largest / 127));
  for (let j = 0; j < 32; j++) out[at + 2 + j] = clamp(Math.round(x[i + j]! * inverse), -127, 127);
}

/** q4_0 and q5_0: 32 numbers of one scale, the largest of them at the bottom of the range. */
function packSymmetric(x: Float32Array, i: number, out: Uint8Array, at: number, half: 8 | 16): void {
  let extreme = 0;
  for (let j = 0; j < 32; j++) if (Math.abs(x[i + j]!) > Math.abs(extreme)) extreme = x[i + j]!;
  const inverse = inverseOf(putHalf(out, at, extreme / -half));
  const low = half === 8 ? at + 2 : at + 6;
  for (let j = 0; j < 32; j++) {
    const q = clamp(Math.round(x[i + j]! * inverse) + half, 0, 2 * half - 1);
    putNibble(out, low, j, 16, q & 15);
    if (q & 16) out[at + 2 + (j >> 3)]! |= 1 << (j & 7);
  }
}

function packQ51(x: Float32Array, i: number, out: Uint8Array, at: number): void {
  const block = x.subarray(i, i + 32);
  const least = putHalf(out, at + 2, Math.min(...block));
  const inverse = inverseOf(putHalf(out, at, (Math.max(...block) - least) / 31));
  for (let j = 0; j < 32; j++) {
    const q = clamp(Math.round((block[j]! - least) * inverse), 0, 31);
    putNibble(out, at + 8, j, 16, q & 15);
    if (q & 16) out[at + 4 + (j >> 3)]! |= 1 << (j & 7);
  }
}

const scales = new Float32Array(16);
const minima = new Float32Array(8);

/** q4_K and q5_K: eight groups of 32, each with a 6-bit scale and a 6-bit minimum. */
function packScaled(x: Float32Array, i: number, out: Uint8Array, at: number, top: 15 | 31): void {
  let largestScale = 0;
  let largestMinimum = 0;
  for (let g = 0; g < 8; g++) {
    let low = 0;
    let high = -Infinity;
    for (let j = i + 32 * g; j < i + 32 * g + 32; j++) {
      low = Math.min(low, x[j]!);
      high = Math.max(high, x[j]!);
    }
    scales[g] = (high - low) / top;
    minima[g] = -low;
    largestScale = Math.max(largestScale, scales[g]!);
    largestMinimum = Math.max(largestMinimum, minima[g]!);
  }
  const d = putHalf(out, at, largestScale / 63);
  const dMinimum = putHalf(out, at + 2, largestMinimum / 63);
  const highBits = at + 16;
  const low = top === 15 ? at + 16 : at + 48;
  for (let g = 0; g < 8; g++) {
    const scale = clamp(Math.round(scales[g]! * inverseOf(d)), 0, 63);
    const minimum = clamp(Math.round(minima[g]! * inverseOf(dMinimum)), 0, 63);
    putScale(out, at + 4, g, scale, minimum);
    const inverse = inverseOf(d * scale);
    const shift = dMinimum * minimum;
    for (let j = 0; j < 32; j++) {
      const q = clamp(Math.round((x[i + 32 * g + j]! + shift) * inverse), 0, top);
      out[low + 32 * (g >> 1) + j]! |= (q & 15) << (4 * (g & 1));
      if (q & 16) out[highBits + j]! |= 1 << g;
    }
  }
}

/** Six bits each of scale and minimum in twelve bytes: the last four groups borrow the top bits of the first. */
function putScale(out: Uint8Array, at: number, g: number, scale: number, minimum: number): void {
  if (g < 4) {
    out[at + g]! |= scale;
    out[at + g + 4]! |= minimum;
  } else {
    out[at + g + 4] = (scale & 15) | ((minimum & 15) << 4);
    out[at + g - 4]! |= (scale >> 4) << 6;
    out[at + g]! |= (minimum >> 4) << 6;
  }
}

/** q6_K: sixteen groups of 16 with 8-bit scales; low nibbles, then pairs of high bits, then scales, then d. */
function packQ6(x: Float32Array, i: number, out: Uint8Array, at: number): void {
  let largest = 0;
  for (let g = 0; g < 16; g++) {
    let extreme = 0;
    for (let j = i + 16 * g; j < i + 16 * g + 16; j++) extreme = Math.max(extreme, Math.abs(x[j]!));
    scales[g] = extreme / 31;
    largest = Math.max(largest, scales[g]!);
  }
  const d = putHalf(out, at + 208, largest / 127);
  for (let g = 0; g < 16; g++) {
    const scale = clamp(Math.round(scales[g]! * inverseOf(d)), 0, 127);
    out[at + 192 + g] = scale;
    const inverse = inverseOf(d * scale);
    for (let j = 16 * g; j < 16 * g + 16; j++) {
      const q = clamp(Math.round(x[i + j]! * inverse), -32, 31) + 32;
      const half = j >> 7;
      const quarter = (j >> 5) & 3;
      out[at + 64 * half + (j & 31) + 32 * (quarter & 1)]! |= (q & 15) << (4 * (quarter >> 1));
      out[at + 128 + 32 * half + (j & 31)]! |= (q >> 4) << (2 * quarter);
    }
  }
}

/** Stores a scale and returns it as it will be read. */
function putHalf(out: Uint8Array, at: number, value: number): number {
  const half = toHalf(value);
  out[at] = half & 0xff;
  out[at + 1] = half >>> 8;
  return fromHalf(half);
}

function putNibble(out: Uint8Array, at: number, j: number, half: number, value: number): void {
  out[at + (j % half)]! |= j < half ? value : value << 4;
}

/** 0 for a scale of 0: its group holds only zeros. */
function inverseOf(scale: number): number {
  return scale === 0 ? 0 : 1 / scale;
}

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, value));
}

function roundEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}
