/** The tensor and metadata types of the GGUF format, as in ggml/include/ggml.h, ggml-common.h and gguf.h of llama.cpp v0.4.0. */

/** How a tensor's numbers are packed: `blockBytes` bytes hold `blockSize` neighbouring numbers of one row. */
export interface TensorType {
  readonly id: number;
  readonly name: TensorTypeName;
  /** Numbers per block; the first dimension of a tensor is a multiple of it. */
  readonly blockSize: number;
  readonly blockBytes: number;
}

const table = [
  [0, 'f32', 1, 4],
  [1, 'f16', 1, 2],
  [2, 'q4_0', 32, 18],
  [3, 'q4_1', 32, 20],
  [6, 'q5_0', 32, 22],
  [7, 'q5_1', 32, 24],
  [8, 'q8_0', 32, 34],
  [9, 'q8_1', 32, 36],
  [10, 'q2_K', 256, 84],
  [11, 'q3_K', 256, 110],
  [12, 'q4_K', 256, 144],
  [13, 'q5_K', 256, 176],
  [14, 'q6_K', 256, 210],
  [15, 'q8_K', 256, 292],
  [16, 'iq2_xxs', 256, 66],
  [17, 'iq2_xs', 256, 74],
  [18, 'iq3_xxs', 256, 98],
  [19, 'iq1_s', 256, 50],
  [20, 'iq4_nl', 32, 18],
  [21, 'iq3_s', 256, 110],
  [22, 'iq2_s', 256, 82],
  [23, 'iq4_xs', 256, 136],
  [24, 'i8', 1, 1],
  [25, 'i16', 1, 2],
  [26, 'i32', 1, 4],
  [27, 'i64', 1, 8],
  [28, 'f64', 1, 8],
  [29, 'iq1_m', 256, 56],
  [30, 'bf16', 1, 2],
  [34, 'tq1_0', 256, 54],
  [35, 'tq2_0', 256, 66],
  [39, 'mxfp4', 32, 17],
  [40, 'nvfp4', 64, 36],
  [41, 'q1_0', 128, 18],
  [42, 'q2_0', 64, 18],
] as const;

export type TensorTypeName = (typeof table)[number][1];

/** Every tensor type llama.cpp still reads, by its id. Ids 4, 5, 31–33 and 36–38 were removed from the format. */
export const tensorTypes: ReadonlyMap<number, TensorType> = new Map(
  table.map(([id, name, blockSize, blockBytes]) => [id, { id, name, blockSize, blockBytes }]),
);

/** Types that ggml's CPU backend multiplies with and looks rows up in. The others are whole numbers, doubles and its internal formats. */
export const forMatrices: ReadonlySet<TensorTypeName> = new Set(
  table.map(row => row[1]).filter(name => !['i8', 'i16', 'i32', 'i64', 'f64', 'q8_1', 'q8_K'].includes(name)),
);

const byName = new Map<string, TensorType>([...tensorTypes.values()].map(type => [type.name, type]));

export function tensorType(name: TensorTypeName): TensorType {
  return byName.get(name)!;
}

/** Bytes that a tensor of these dimensions takes in the file, without padding. */
export function tensorBytes(type: TensorType, dimensions: readonly number[]): number {
  return (dimensions.reduce((product, n) => product * n, 1) / type.blockSize) * type.blockBytes;
}

/** Metadata value types in the order of their ids (gguf.h). */
export const valueTypes = [
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  'f32',
  'bool',
  'string',
  'array',
  'u64',
  'i64',
  'f64',
] as const;

export type ValueType = (typeof valueTypes)[number];

/** Bytes of one value; strings and arrays have no fixed size. */
export const valueBytes: Readonly<Record<Exclude<ValueType, 'string' | 'array'>, number>> = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  bool: 1,
  u64: 8,
  i64: 8,
  f64: 8,
};

/** `general.file_type` by number, in the spelling used in file names (`enum llama_ftype` in include/llama.h). */
export const fileTypes: ReadonlyMap<number, string> = new Map([
  [0, 'F32'],
  [1, 'F16'],
  [2, 'Q4_0'],
  [3, 'Q4_1'],
  [7, 'Q8_0'],
  [8, 'Q5_0'],
  [9, 'Q5_1'],
  [10, 'Q2_K'],
  [11, 'Q3_K_S'],
  [12, 'Q3_K_M'],
  [13, 'Q3_K_L'],
  [14, 'Q4_K_S'],
  [15, 'Q4_K_M'],
  [16, 'Q5_K_S'],
  [17, 'Q5_K_M'],
  [18, 'Q6_K'],
  [19, 'IQ2_XXS'],
  [20, 'IQ2_XS'],
  [21, 'Q2_K_S'],
  [22, 'IQ3_XS'],
  [23, 'IQ3_XXS'],
  [24, 'IQ1_S'],
  [25, 'IQ4_NL'],
  [26, 'IQ3_S'],
  [27, 'IQ3_M'],
  [28, 'IQ2_S'],
  [29, 'IQ2_M'],
  [30, 'IQ4_XS'],
  [31, 'IQ1_M'],
  [32, 'BF16'],
  [36, 'TQ1_0'],
  [37, 'TQ2_0'],
  [38, 'MXFP4_MOE'],
  [39, 'NVFP4'],
  [40, 'Q1_0'],
  [41, 'Q2_0'],
]);

/** Token types of a vocabulary (`enum llama_token_type` in include/llama.h). */
export const tokenTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;
