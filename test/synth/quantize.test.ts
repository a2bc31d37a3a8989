import { describe, expect, test } from 'vitest';
import { type TensorTypeName, tensorType } from '../../src/gguf/types.js';
import { encodable, encode, floatTensor, fromHalf, toHalf } from '../../src/synth/quantize.js';

// Decoders written from the dequantize functions of llama.cpp v0.4.0, ggml/src/ggml-quants.c, one block each.
type Decoder = (view: DataView) => number[];

function half(view: DataView, at: number): number {
  const h = view.getUint16(at, true);
  const sign = h >> 15 ? -1 : 1;
  const exponent = (h >> 10) & 31;
  const fraction = h & 1023;
  return exponent === 0 ? (sign * fraction) / 2 ** 24 : sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}

/** get_scale_min_k4 */
function scaleAndMinimum(view: DataView, at: number, j: number): [number, number] {
  const q = (i: number): number => view.getUint8(at + i);
  if (j < 4) return [q(j) & 63, q(j + 4) & 63];
  return [(q(j + 4) & 15) | ((q(j - 4) >> 6) << 4), (q(j + 4) >> 4) | ((q(j) >> 6) << 4)];
}

const decoders: Partial<Record<TensorTypeName, Decoder>> = {
  f32: view => [view.getFloat32(0, true)],
  f16: view => [half(view, 0)],
  q8_0: view => Array.from({ length: 32 }, (_, j) => half(view, 0) * view.getInt8(2 + j)),
  q4_0(view) {
    const y = new Array<number>(32);
    for (let j = 0; j < 16; j++) {
      y[j] = half(view, 0) * ((view.getUint8(2 + j) & 15) - 8);
      y[j + 16] = half(view, 0) * ((view.getUint8(2 + j) >> 4) - 8);
    }
    return y;
  },
  q5_0(view) {
    const y = new Array<number>(32);
    const qh = view.getUint32(2, true);
    for (let j = 0; j < 16; j++) {
      y[j] = half(view, 0) * (((view.getUint8(6 + j) & 15) | (((qh >>> j) << 4) & 16)) - 16);
      y[j + 16] = half(view, 0) * (((view.getUint8(6 + j) >> 4) | ((qh >>> (j + 12)) & 16)) - 16);
    }
    return y;
  },
  q5_1(view) {
    const y = new Array<number>(32);
    const qh = view.getUint32(4, true);
    for (let j = 0; j < 16; j++) {
      y[j] = half(view, 0) * ((view.getUint8(8 + j) & 15) | (((qh >>> j) << 4) & 16)) + half(view, 2);
      y[j + 16] = half(view, 0) * ((view.getUint8(8 + j) >> 4) | ((qh >>> (j + 12)) & 16)) + half(view, 2);
    }
    return y;
  },
  q4_K(view) {
    const y: number[] = [];
    for (let j = 0, q = 16; j < 8; j += 2, q += 32) {
      const [scale1, minimum1] = scaleAndMinimum(view, 4, j);
      const [scale2, minimum2] = scaleAndMinimum(view, 4, j + 1);
      for (let l = 0; l < 32; l++)
        y.push(half(view, 0) * scale1 * (view.getUint8(q + l) & 15) - half(view, 2) * minimum1);
      for (let l = 0; l < 32; l++)
        y.push(half(view, 0) * scale2 * (view.getUint8(q + l) >> 4) - half(view, 2) * minimum2);
    }
    return y;
  },
  q5_K(view) {
    const y: number[] = [];
    for (let j = 0, q = 48, u1 = 1, u2 = 2; j < 8; j += 2, q += 32, u1 <<= 2, u2 <<= 2) {
      const [scale1, minimum1] = scaleAndMinimum(view, 4, j);
      const [scale2, minimum2] = scaleAndMinimum(view, 4, j + 1);
      const high = (l: number, bit: number): number => (view.getUint8(16 + l) & bit ? 16 : 0);
      for (let l = 0; l < 32; l++) {
        y.push(half(view, 0) * scale1 * ((view.getUint8(q + l) & 15) + high(l, u1)) - half(view, 2) * minimum1);
      }
      for (let l = 0; l < 32; l++) {
        y.push(half(view, 0) * scale2 * ((view.getUint8(q + l) >> 4) + high(l, u2)) - half(view, 2) * minimum2);
      }
    }
    return y;
  },
  q6_K(view) {
    const y = new Array<number>(256);
    for (let n = 0; n < 2; n++) {
      const [ql, qh, sc] = [64 * n, 128 + 32 * n, 192 + 8 * n];
      for (let l = 0; l < 32; l++) {
        const is = Math.floor(l / 16);
        const high = view.getUint8(qh + l);
        const q1 = ((view.getUint8(ql + l) & 15) | ((high & 3) << 4)) - 32;
        const q2 = ((view.getUint8(ql + l + 32) & 15) | (((high >> 2) & 3) << 4)) - 32;
        const q3 = ((view.getUint8(ql + l) >> 4) | (((high >> 4) & 3) << 4)) - 32;
        const q4 = ((view.getUint8(ql + l + 32) >> 4) | (((high >> 6) & 3) << 4)) - 32;
        const d = half(view, 208);
        y[128 * n + l] = d * view.getInt8(sc + is) * q1;
        y[128 * n + l + 32] = d * view.getInt8(sc + is + 2) * q2;
        y[128 * n + l + 64] = d * view.getInt8(sc + is + 4) * q3;
        y[128 * n + l + 96] = d * view.getInt8(sc + is + 6) * q4;
      }
    }
    return y;
  },
};

function decode(type: TensorTypeName, bytes: Uint8Array): number[] {
  const { blockBytes } = tensorType(type);
  const out: number[] = [];
  for (let at = 0; at < bytes.length; at += blockBytes) {
    out.push(...decoders[type]!(new DataView(bytes.buffer, bytes.byteOffset + at, blockBytes)));
  }
  return out;
}

/** Waves of changing height, so that the groups of a block need different scales. */
function waves(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7) * (0.2 + ((i >> 4) % 7)) * 0.02);
}

/** Root-mean-square error as a fraction of the root-mean-square of the numbers. */
function error(expected: Float32Array, got: readonly number[]): number {
  expect(got).toHaveLength(expected.length);
  let wrong = 0;
  let all = 0;
  for (const [i, value] of expected.entries()) {
    wrong += (value - got[i]!) ** 2;
    all += value ** 2;
  }
  return Math.sqrt(wrong / all);
}

describe('packed floats, unpacked by llama.cpp’s rules, are close to what they were', () => {
  test.each([
    ['f32', 0],
    ['f16', 0.0005],
    ['q8_0', 0.006],
    ['q6_K', 0.03],
    ['q5_K', 0.05],
    ['q5_0', 0.06],
    ['q5_1', 0.06],
    ['q4_K', 0.1],
    ['q4_0', 0.12],
  ] as const)('%s within %d', (type, bound) => {
    const floats = waves(2048);
    expect(error(floats, decode(type, encode(type, floats)))).toBeLessThanOrEqual(bound);
  });

  test.each(encodable)('%s keeps zeros, and no block is NaN', type => {
    expect(decode(type, encode(type, new Float32Array(512))).every(value => value === 0)).toBe(true);
    const spikes = new Float32Array(512);
    spikes[3] = 1e-9;
    spikes[300] = 1000;
    expect(decode(type, encode(type, spikes)).every(Number.isFinite)).toBe(true);
  });

  test.each(['q4_0', 'q8_0', 'q4_K', 'q6_K'] as const)('%s keeps the sign and place of a lone number', type => {
    for (const at of [0, 17, 31, 100, 255]) {
      const lone = new Float32Array(256);
      lone[at] = -0.75;
      const got = decode(type, encode(type, lone));
      expect(got[at]).toBeCloseTo(-0.75, 1);
      expect(got.filter(value => Math.abs(value) > 0.01)).toHaveLength(1);
    }
  });
});

test('half precision rounds to even and keeps infinities and the smallest numbers', () => {
  const cases: [number, number][] = [
    [0, 0],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65_504, 0x7bff],
    [65_519, 0x7bff],
    [65_520, 0x7c00],
    [1e9, 0x7c00],
    [-Infinity, 0xfc00],
    [2 ** -24, 1],
    [2 ** -25, 0],
    [3 * 2 ** -25, 2],
    [2 ** -14, 0x0400],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
  ];
  for (const [value, bits] of cases) expect(toHalf(value), String(value)).toBe(bits);
  expect(toHalf(Number.NaN) & 0x7c00).toBe(0x7c00);
  const all = Array.from({ length: 0x7c00 }, (_, bits) => bits);
  expect(all.filter(bits => toHalf(fromHalf(bits)) !== bits)).toEqual([]);
});

test('floats that do not fill their blocks are refused', () => {
  expect(() => encode('q8_0', new Float32Array(33))).toThrow(RangeError);
  expect(() => floatTensor('t', [48, 2], 'q8_0', new Float32Array(96))).toThrow(/Rows/);
  expect(() => floatTensor('t', [32, 2], 'q8_0', new Float32Array(96))).toThrow(/64 elements/);
});
