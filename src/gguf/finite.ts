import type { FileHandle } from 'node:fs/promises';
import { unreadable } from './fault.js';
import type { TensorInfo } from './tensors.js';
import type { TensorTypeName } from './types.js';

/** Types whose weights can be looked at here: those that adapters are written in. */
export const checkable: ReadonlySet<TensorTypeName> = new Set(['f32', 'f16', 'bf16', 'q8_0']);

/** About this much is read at a time. */
const pieceBytes = 1 << 20;

/** True if no weight of a tensor of a {@link checkable} type is infinite or NaN. Reads all of it. */
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

/** A float is infinite or NaN if all bits of its exponent are set. A block of q8_0 begins with its scale, the rest is whole numbers. */
function finiteBlocks(type: TensorTypeName, blockBytes: number, bytes: Buffer): boolean {
  if (type === 'f32') {
    for (let at = 0; at < bytes.length; at += 4) if ((~bytes.readUInt32LE(at) & 0x7f80_0000) === 0) return false;
    return true;
  }
  const exponent = type === 'bf16' ? 0x7f80 : 0x7c00;
  for (let at = 0; at < bytes.length; at += blockBytes) if ((~bytes.readUInt16LE(at) & exponent) === 0) return false;
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
