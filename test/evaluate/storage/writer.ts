// Run as a process of its own by the tests: appends the rows it does not find, and is killed while doing so.
import { openJournal } from '../../../src/evaluate/storage/journal.js';

const [dir, count] = [process.argv[2]!, Number(process.argv[3])];
const store = await openJournal(
  dir,
  { task: 'clinical', samples: 5 },
  { resume: true, check: value => value as { id: string } },
);
process.stdout.write('open\n');
const appends: Promise<void>[] = [];
for (let i = 0; i < count; i++) {
  if (store.done.has(`item-${i}`)) continue;
  // Some rows alone, some several at once, of very different lengths.
  appends.push(store.append({ id: `item-${i}`, text: 'x'.repeat((i * 7919) % 20_000) } as { id: string }));
  if (i % 3 === 0) {
    await Promise.all(appends.splice(0));
    process.stdout.write(`${i}\n`);
  }
}
await Promise.all(appends);
await store.close();
