#!/usr/bin/env node
// Builds the page that `meditron serve` shows, from page/ into the folder that is given.
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', 'page');
const outDir = resolve(process.argv[2] ?? resolve(root, '..', 'dist', 'page'));

await build({
  root,
  configFile: false,
  base: './',
  logLevel: 'error',
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2023',
    // The page's Content-Security-Policy allows files of its own alone: nothing inline, no data: URL.
    assetsInlineLimit: 0,
    modulePreload: false,
    rollupOptions: {
      // One script and one style; the server says that they are to be asked for again.
      output: { entryFileNames: 'page.js', chunkFileNames: '[name].js', assetFileNames: 'page[extname]' },
    },
  },
});
