import { readFile } from 'node:fs/promises';
import { entry } from '../../src/gguf/metadata.js';
import { readGguf } from '../../src/gguf/reader.js';
import { writeGguf } from '../../src/gguf/writer.js';
import { storiesPath } from './stories.js';

/** Writes the stories model with its first layer alone: the same tokens, other texts, several times as fast. For tests that read no text. */
export async function writeShallowStories(path: string): Promise<void> {
  const { metadata, tensors, parts } = await readGguf(storiesPath);
  const weights = (await readFile(storiesPath)).subarray(parts[0]!.dataOffset);
  await writeGguf(
    path,
    new Map([...metadata, ['llama.block_count', entry.u32(1)]]),
    tensors
      .filter(({ name }) => !/^blk\.[1-9]/.test(name))
      .map(({ offset, bytes, ...tensor }) => ({ ...tensor, data: () => [weights.subarray(offset, offset + bytes)] })),
  );
}
