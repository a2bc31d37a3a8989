import { expect, test } from 'vitest';
import { unpacked } from '../../src/check/project.js';

test.each([
  ['/opt/App/resources/app.asar/node_modules/meditron', '/opt/App/resources/app.asar.unpacked/node_modules/meditron'],
  ['C:\\App\\resources\\app.asar\\node_modules\\x', 'C:\\App\\resources\\app.asar.unpacked\\node_modules\\x'],
  ['/opt/App/resources/app.asar', '/opt/App/resources/app.asar.unpacked'],
  ['/opt/App/resources/app.asar.unpacked/x', '/opt/App/resources/app.asar.unpacked/x'],
  ['/opt/my.asarium/x', '/opt/my.asarium/x'],
  ['/home/app/node_modules/meditron', '/home/app/node_modules/meditron'],
])('%s lies outside the archive in %s', (path, expected) => {
  expect(unpacked(path)).toBe(expected);
});
