// Run as a process of its own by the tests: appends the rows it does not find, and is killed while doing so. Before the row `last` it
// stands still, so that it does not end before it is killed.
import { openJournal } from '../../../src/evaluate/storage/journal.js';

const dir = process.argv[2]!;
const [count, last] = process.argv.slice(3).map(Number);
const store = await openJournal(
  dir,
  { task: 'clinical', samples: 5 },
  { resume: true, check: value => value as { id: string } },
);
process.stdout.write('open\n');
const appends: Promise<void>[] = [];
for (let i = 0; i < count!; i++) {
  if (store.done.has(`item-${i}`)) continue;
  if (i === last) process.kill(process.pid, 'SIGSTOP');
  // Some rows alone, some several at once, of very different lengths.
  appends.push(store.append({ id: `item-${i}`, text: 'x'.repeat((i * 7919) % 20_000) } as { id: string }));
  if (i % 3 === 0) {
    await Promise.all(appends.splice(0));
    process.stdout.write(`${i}\n`);
  }
}
await Promise.all(appends);
await store.close();
