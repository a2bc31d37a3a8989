import { MeditronError } from '../../check/errors.js';
import { createServer, type Server } from '../../server/server.js';
import { openBrowser } from '../browser.js';
import type { Asker } from '../terminal/asked.js';
import { Line } from '../terminal/entries.js';
import { print } from '../terminal/output.js';
import { pageOpens, pageStays } from './words.js';

/** Serves the page to this computer alone, opens it in the browser, and closes it when the person is done. */
export async function showPage(models: readonly string[], asker: Asker): Promise<void> {
  await using server = await atUsualPort(models);
  const problem = await openBrowser(server.openUrl());
  print(problem === undefined ? pageOpens(server.pageUrl) : pageStays(server.pageUrl));
  await asker.ask(new Line('To close the page and come back, press Enter: '));
}

/** At the usual port, so that a browser finds the language and colours that were chosen before; at another where that one is taken. */
async function atUsualPort(models: readonly string[]): Promise<Server> {
  try {
    return await createServer({ models });
  } catch (error) {
    if (!(error instanceof MeditronError) || error.code !== 'ERR_OPTION') throw error;
    return createServer({ models, port: 0 });
  }
}
