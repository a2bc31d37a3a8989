// Called by electron-builder when the app is laid out, before it is signed. What electron-builder does not find it warns of and goes on; an
// app without its Node, its model or its addon is none.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** electron-builder's numbers. */
const archs = { 1: 'x64', 3: 'arm64' };

/** @param {import('electron-builder').AfterPackContext} context */
export default async function check({ appOutDir, packager, electronPlatformName: platform, arch }) {
  const resources = packager.getResourcesDir(appOutDir);
  const modules = join('app.asar.unpacked', 'node_modules');
  const missing = [
    join('node', platform === 'win32' ? 'node.exe' : 'node'),
    join('models', 'meditron-mini.gguf'),
    join(modules, 'meditron', 'dist', 'host', 'child.js'),
    join(modules, '@meditron', `${platform}-${archs[arch]}`, 'meditron.node'),
  ].filter(file => !existsSync(join(resources, file)));
  if (missing.length > 0)
    throw new Error(
      `Expected in ${resources}, and not there: ${missing.join(', ')}. To build for another system, install its packages first: ` +
        `npm install --os=${platform} --cpu=${archs[arch]}`,
    );
}
