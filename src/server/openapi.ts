import { Hono } from 'hono';
import { packageVersion } from '../check/project.js';
import type { RouteDescription } from './described.js';
import { meditronDescriptions } from './meditron/described.js';
import { openaiDescriptions } from './openai/described.js';
import { type JsonSchema, jsonSchemaOf } from './schema.js';

/** The server's own routes. */
const own: readonly RouteDescription[] = [
  { method: 'get', path: '/', summary: 'The page', page: false, answer: 'HTML' },
  {
    method: 'get',
    path: '/open/:code',
    summary: 'Leads a browser to the page with its key, once',
    page: false,
    answer: 'HTML',
  },
  { method: 'get', path: '/health', summary: 'Whether the server answers', page: false, answer: 'Health' },
  { method: 'get', path: '/metrics', summary: 'Counts, in the text format of Prometheus', page: false, answer: 'text' },
  { method: 'get', path: '/openapi.json', summary: 'This description', page: false, answer: 'OpenAPI' },
];

/** Every route that there is; the page's own files are not told one by one. */
export const descriptions: readonly RouteDescription[] = [...own, ...openaiDescriptions, ...meditronDescriptions];

/** Answers with the description of all routes. */
export function openapiRoutes(): Hono {
  let document: object | undefined;
  return new Hono().get('/openapi.json', c => {
    document ??= openapi();
    return c.json(document);
  });
}

/** The routes as OpenAPI 3.1 has them. Answers are named by their types, which the package exports or its sources explain. */
export function openapi(): object {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const route of descriptions) {
    const path = route.path.replace(/:(\w+)(\{[^}]*\})?/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Meditron',
      version: packageVersion(),
      description:
        'Answers of language models, which may be wrong: nothing here is medical advice. Fields that a request of /v1/chat/completions or /v1/completions has and the server does not know are let through and named in the header X-Meditron-Ignored of the answer.',
    },
    paths,
    components: {
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'The key of `--key`, where there is one' },
        page: { type: 'http', scheme: 'bearer', description: 'The key behind # in the address that the server prints' },
      },
      schemas: { Error: errorSchema },
    },
  };
}

function operationOf({ path, summary, page, body, options, query, answer, events }: RouteDescription): JsonSchema {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => parameter('path', name!, true));
  const inQuery = Object.entries(query ?? {}).map(([name, says]) => parameter('query', name, false, says));
  return {
    summary,
    ...(page !== false && { security: page === true ? [{ page: [] }] : [{ page: [] }, { key: [] }, {}] }),
    ...(inPath.length + inQuery.length > 0 && { parameters: [...inPath, ...inQuery] }),
    ...(body && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: withOptions(jsonSchemaOf(body), options) } },
      },
    }),
    responses: {
      200: {
        description: answer,
        content: {
          [typeOf(answer)]: { schema: { title: answer } },
          ...(events && { 'text/event-stream': { schema: { title: events } } }),
        },
      },
      default: {
        description: 'Why it was not done',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

function typeOf(answer: string): string {
  return { HTML: 'text/html', text: 'text/plain' }[answer] ?? 'application/json';
}

function parameter(place: 'path' | 'query', name: string, required: boolean, description?: string): JsonSchema {
  return { in: place, name, required, schema: { type: 'string' }, ...(description && { description }) };
}

/** Options that the library checks itself are described in words. */
function withOptions(schema: JsonSchema, options: Readonly<Record<string, string>> = {}): JsonSchema {
  const described = Object.fromEntries(Object.entries(options).map(([name, description]) => [name, { description }]));
  return { ...schema, properties: { ...described, ...(schema.properties as object | undefined) } };
}

const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['message', 'type', 'param', 'code'],
      properties: {
        message: { type: 'string' },
        type: { type: 'string' },
        param: { type: ['string', 'null'], description: 'The field that is wrong' },
        code: { type: 'string', description: 'For programs: ERR_…' },
        details: {
          type: 'array',
          items: { type: 'string' },
          description: 'Last lines of an engine whose process died',
        },
      },
    },
  },
};
