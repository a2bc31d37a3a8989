import * as v from 'valibot';
import { askOptions } from '../../ask/options.js';
import type { Table } from '../../check/table.js';
import { runOptions } from '../../evaluate/run/options.js';
import type { RouteDescription } from '../described.js';
import { addEntryRequest, historyRequest, unlockRequest } from './history/routes.js';
import { addModelRequest, inspectRequest } from './models.js';
import { panelRequest } from './panel.js';
import { readRequest } from './read.js';
import { recordRequest, replayRequest } from './replay.js';
import { chatRoomRequest } from './room.js';
import { runRequest } from './runwork.js';

const { until: _, signal: __, ...ofRequests } = askOptions;

/** Of an ask, besides its options. */
const askRequest = v.object({
  model: v.optional(v.string()),
  text: v.optional(v.string()),
  question: v.optional(v.object({ question: v.optional(v.string()) })),
  id: v.optional(v.string()),
});

/** Bodies that say nothing are written as `{}`. */
const nothing = v.object({});

const asks = '/v1/meditron/asks';
const models = '/v1/meditron/models';
const runs = '/v1/meditron/runs';
const history = '/v1/meditron/history';

/** Every route below `/v1/meditron`. */
export const meditronDescriptions: readonly RouteDescription[] = [
  get('/v1/meditron/state', 'The models, the machine, and what this client may do', 'ServerState'),
  post('/v1/meditron/read', 'How a text is read as a question; no model is asked', readRequest, 'Reading'),
  {
    ...post(
      '/v1/meditron/ask',
      'Asks a question several times over, and counts how far the answers agree',
      askRequest,
      'Answer',
    ),
    ...{ events: 'AskStreamEvent', options: helpOf(ofRequests) },
  },
  get(asks, 'How many asks have an id', 'AsksState'),
  {
    ...get(`${asks}/:id`, 'Watches an ask again, from behind the header Last-Event-ID', 'AskState'),
    events: 'AskStreamEvent',
  },
  del(`${asks}/:id`, 'Stops an ask, whose answer is of what there is; forgets one that has ended', 'Stopped'),
  post(
    '/v1/meditron/panel',
    'What asks of one question to several models come to, by families',
    panelRequest,
    'PanelTold',
  ),
  {
    ...post(
      '/v1/meditron/replay',
      'Runs a record again, and says whether it comes out the same',
      replayRequest,
      'Replay | PanelReplay',
    ),
    ...{ events: 'ReplayStreamEvent | PanelReplayStreamEvent', page: 'some' },
  },
  post('/v1/meditron/records', 'Whether a record is as it was written', recordRequest, 'RecordCheck | PanelCheck'),
  {
    ...post('/v1/meditron/inspect', 'What a model file says about itself', inspectRequest, 'Inspection'),
    page: 'some',
  },
  get(models, 'The models that can be asked', 'ModelState[]'),
  { ...post(models, 'Adds a model by the path of its file', addModelRequest, 'ModelState'), page: true },
  { ...post(`${models}/:name/unload`, 'Gives the memory of a model back', nothing, 'ModelState'), page: true },
  {
    ...post(`${models}/:name/measure`, 'Measures how fast a model is here', nothing, 'ModelSpeed'),
    events: 'MeasureStreamEvent',
  },
  {
    ...post(`${models}/:name/hash`, 'Reads a model file for its SHA-256', nothing, 'ModelHash'),
    events: 'HashStreamEvent',
  },
  {
    ...get('/v1/meditron/files', 'What is in a folder of this machine', 'FolderState'),
    ...{ page: true, query: { folder: 'path of the folder (default: where to begin)' } },
  },
  post(
    '/v1/meditron/chat/room',
    'How many tokens a conversation takes, and how many are left',
    chatRoomRequest,
    'ChatRoom',
  ),
  get('/v1/meditron/questions', 'The benchmarks that can be evaluated, and where to get them', 'BenchmarkState[]'),
  ...[
    get(runs, 'The evaluations of this server, the newest first', 'RunState[]'),
    { ...post(runs, 'Evaluates a model on questions', runRequest, 'RunState'), options: helpOf(runOptions) },
    {
      ...post(
        `${runs}/plan`,
        'How many questions an evaluation has, and how long it would take',
        runRequest,
        'RunPlan',
      ),
      options: helpOf(runOptions),
    },
    {
      ...get(`${runs}/compare`, 'Two evaluations of the same questions, compared', 'ReportData'),
      query: { first: 'id of one', second: 'id of the other' },
    },
    { ...get(`${runs}/:id`, 'Watches an evaluation', 'RunState'), events: 'RunStreamEvent' },
    del(`${runs}/:id`, 'Stops an evaluation, whose rows stay; forgets one that has ended', 'Stopped'),
    post(`${runs}/:id/resume`, 'Goes on with an evaluation that was stopped or failed', nothing, 'RunState'),
    get(`${runs}/:id/report`, 'The figures of an evaluation', 'ReportData'),
    {
      ...get(`${runs}/:id/rows`, 'Questions of an evaluation, with chains and verdicts', 'ReportRows'),
      query: {
        from: 'the first row that is wanted, from 0',
        count: 'how many rows, at most 200 (default: 50)',
        run: 'place of the run in the report, from 0 (default: all)',
        only: 'wrong, right or none (without an answer)',
      },
    },
    get(history, 'Whether history is kept, and how', 'HistoryState'),
    post(history, 'Turns history on or off', historyRequest, 'HistoryState'),
    del(history, 'Deletes all of the history', 'HistoryState'),
    post(`${history}/unlock`, 'Gives the passphrase of an encrypted history', unlockRequest, 'HistoryState'),
    post(`${history}/lock`, 'Forgets the passphrase', nothing, 'HistoryState'),
    get(`${history}/entries`, 'The entries of the history, the newest first', 'HistoryItem[]'),
    post(`${history}/entries`, 'Adds an entry to the history', addEntryRequest, 'HistoryItem'),
    get(`${history}/entries/:id`, 'An entry of the history', 'HistoryEntry'),
    del(`${history}/entries/:id`, 'Deletes an entry of the history', 'HistoryState'),
    get(`${history}/export`, 'All of the history, in clear', 'HistoryEntry[]'),
  ].map((route): RouteDescription => ({ ...route, page: true })),
];

function get(path: string, summary: string, answer: string): RouteDescription {
  return { method: 'get', path, summary, answer, page: false };
}

function post(path: string, summary: string, body: v.GenericSchema, answer: string): RouteDescription {
  return { method: 'post', path, summary, body, answer, page: false };
}

function del(path: string, summary: string, answer: string): RouteDescription {
  return { method: 'delete', path, summary, answer, page: false };
}

function helpOf(table: Table): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(table).map(([name, { help }]) => [name, help]));
}
