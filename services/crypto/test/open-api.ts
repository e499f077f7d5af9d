import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import { parse } from 'yaml';

const FILE = join(import.meta.dirname, '../../../docs/openapi/crypto.yaml');

type Node = Readonly<Record<string, unknown>>;

/** The OpenAPI document of this service, against which every answer of a test is held. */
export interface OpenApi {
  /** Asks as the document says. Fails where the answer is none that it has, or of another shape. */
  readonly ask: (method: string, path: string, request: Request) => Promise<Response>;
  /** `get /api/balance 200`: what the document has and no test has had. */
  readonly missing: () => readonly string[];
  readonly paths: Readonly<Record<string, Node>>;
}

export function readOpenApi(): OpenApi {
  const document = parse(readFileSync(FILE, 'utf8'), { merge: true }) as {
    readonly paths: Readonly<Record<string, Node>>;
  };
  const schemas = new Ajv2020({ strict: false, validateFormats: false });
  schemas.addSchema({ $id: 'crypto', ...document });
  const had = new Set<string>();

  const at = (...steps: readonly string[]): unknown =>
    steps.reduce<unknown>((node, step) => (node as Node | undefined)?.[step], document);
  const responseOf = (method: string, path: string, status: string): Node | undefined => {
    const found = at('paths', path, method, 'responses', status) as Node | undefined;
    const reference = found?.['$ref'];
    return typeof reference === 'string' ? (at(...reference.split('/').slice(1)) as Node) : found;
  };

  return {
    paths: document.paths,
    async ask(method, path, request) {
      const response = await fetch(request);
      const status = String(response.status);
      const place = `${method} ${path} ${status}`;
      const type = response.headers.get('content-type')?.split(';')[0] ?? '';
      const content = responseOf(method, path, status)?.['content'] as Node | undefined;
      expect(Object.keys(content ?? {}), place).toContain(type);
      had.add(place);
      const schema = (content?.[type] as Node | undefined)?.['schema'] as Node | undefined;
      if (schema === undefined) return response;
      const validate = schemas.compile(rooted(schema));
      expect(
        validate(await response.clone().json()),
        `${place}: ${schemas.errorsText(validate.errors)}`,
      ).toBe(true);
      return response;
    },
    missing: () =>
      Object.entries(document.paths).flatMap(([path, operations]) =>
        Object.entries(operations).flatMap(([method, operation]) =>
          Object.keys((operation as { responses: object }).responses)
            .map((status) => `${method} ${path} ${status}`)
            .filter((place) => !had.has(place)),
        ),
      ),
  };
}

/** References are meant within the document. */
function rooted(schema: Node): Node {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"crypto#/')) as Node;
}
