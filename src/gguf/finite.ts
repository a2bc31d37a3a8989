import type { FileHandle } from 'node:fs/promises';
import { unreadable } from './fault.js';
import type { TensorInfo } from './tensors.js';
import type { TensorTypeName } from './types.js';

/**
 * Where the 16-bit floats of a block lie that scale its numbers, in bytes (ggml-common.h). The numbers themselves are whole, so a
 * tensor is finite if these are. Types that are not listed cannot be otherwise, or scale by exponents alone.
 */
const scales: Partial<Record<TensorTypeName, readonly number[]>> = {
  f16: [0],
  q4_0: [0],
  q4_1: [0, 2],
  q5_0: [0],
  q5_1: [0, 2],
  q8_0: [0],
  q1_0: [0],
  q2_0: [0],
  q2_K: [80, 82],
  q3_K: [108],
  q4_K: [0, 2],
  q5_K: [0, 2],
  q6_K: [208],
  iq2_xxs: [0],
  iq2_xs: [0],
  iq2_s: [0],
  iq3_xxs: [0],
  iq3_s: [0],
  iq1_s: [0],
  iq4_nl: [0],
  iq4_xs: [0],
  tq1_0: [52],
  tq2_0: [64],
};

/** About this much is read at a time. */
const pieceBytes = 1 << 20;

/** True if no weight of a tensor is infinite or NaN. Reads all of it. */
export async function isFiniteTensor(
  handle: FileHandle,
  part: { readonly path: string; readonly dataOffset: number },
  tensor: TensorInfo,
): Promise<boolean> {
  const { blockBytes } = tensor.type;
  const piece = Buffer.allocUnsafe(Math.max(1, Math.floor(pieceBytes / blockBytes)) * blockBytes);
  for (let done = 0; done < tensor.bytes; ) {
    const wanted = Math.min(piece.length, tensor.bytes - done);
    await readFully(handle, part.path, piece.subarray(0, wanted), part.dataOffset + tensor.offset + done);
    if (!finiteBlocks(tensor.type.name, blockBytes, piece.subarray(0, wanted))) return false;
    done += wanted;
  }
  return true;
}

function finiteBlocks(type: TensorTypeName, blockBytes: number, bytes: Buffer): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (type === 'f32') {
    for (let at = 0; at < bytes.length; at += 4)
      if ((view.getUint32(at, true) & 0x7f80_0000) === 0x7f80_0000) return false;
    return true;
  }
  if (type === 'bf16') {
    for (let at = 0; at < bytes.length; at += 2) if ((view.getUint16(at, true) & 0x7f80) === 0x7f80) return false;
    return true;
  }
  for (const offset of scales[type] ?? []) {
    for (let at = offset; at < bytes.length; at += blockBytes) {
      if ((view.getUint16(at, true) & 0x7c00) === 0x7c00) return false;
    }
  }
  return true;
}

async function readFully(handle: FileHandle, path: string, into: Buffer, position: number): Promise<void> {
  for (let filled = 0; filled < into.length; ) {
    const { bytesRead } = await handle.read(into, filled, into.length - filled, position + filled).catch(cause => {
      throw unreadable(path, cause);
    });
    if (bytesRead === 0) throw unreadable(path, new Error('the end of the file before the end of its weights'));
    filled += bytesRead;
  }
}
