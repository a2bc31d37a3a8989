// Runs an engine's program with its messages in frames on the standard streams: a length of four bytes, then a value as v8 writes it.

import { writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { deserialize, serialize } from 'node:v8';

process.send = message => {
  const body = serialize(message);
  const frame = Buffer.alloc(4 + body.length);
  frame.writeUInt32LE(body.length);
  body.copy(frame, 4);
  for (let at = 0; at < frame.length; ) at += write(frame, at);
  return true;
};
Object.defineProperty(process, 'connected', { value: true });

await import(pathToFileURL(process.argv[2]).href);

let rest = Buffer.alloc(0);
process.stdin.on('data', chunk => {
  rest = Buffer.concat([rest, chunk]);
  while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32LE()) {
    const end = 4 + rest.readUInt32LE();
    process.emit('message', deserialize(rest.subarray(4, end)));
    rest = rest.subarray(end);
  }
});
process.stdin.on('end', () => process.emit('disconnect'));

function write(frame, at) {
  try {
    return writeSync(1, frame, at);
  } catch (error) {
    if (error.code === 'EAGAIN') return 0;
    throw error;
  }
}
