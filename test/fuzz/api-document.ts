/** A server's own description of its API, as it answers `GET /openapi.json` (OpenAPI 3.1, JSON Schema 2020-12). */
export type JsonSchema = {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly propertyNames?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly $ref?: string;
};

export type Parameter = {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: JsonSchema;
};

type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;

/** `content` absent: the answer has no body. */
export type DocumentedAnswer = { readonly content?: Content };

export type Operation = {
  readonly id: string;
  /** In capitals. */
  readonly method: string;
  /** With `{name}` for its parameters. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body: { readonly type: string; readonly schema: JsonSchema } | null;
  readonly answers: ReadonlyMap<number, DocumentedAnswer>;
  /** A WebSocket, which a plain request finds nothing at. */
  readonly isSocket: boolean;
};

export type ApiDocument = { readonly operations: readonly Operation[]; readonly errorSchema: JsonSchema };

type WrittenOperation = {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, DocumentedAnswer>>;
};

type WrittenDocument = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, WrittenOperation>>>>;
  readonly components: { readonly schemas: { readonly Error: JsonSchema } };
};

export async function readApiDocument(url: string): Promise<ApiDocument> {
  const { paths, components } = (await (await fetch(`${url}/openapi.json`)).json()) as WrittenDocument;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, written]) => operationOf(path, method, written)),
  );
  return { operations, errorSchema: components.schemas.Error };
}

function operationOf(path: string, method: string, written: WrittenOperation): Operation {
  const [body] = Object.entries(written.requestBody?.content ?? {});
  return {
    id: written.operationId,
    method: method.toUpperCase(),
    path,
    parameters: written.parameters ?? [],
    body: body ? { type: body[0], schema: body[1].schema } : null,
    answers: new Map(Object.entries(written.responses).map(([status, answer]) => [Number(status), answer])),
    isSocket: '101' in written.responses,
  };
}
