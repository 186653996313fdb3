/** The OpenAPI 3.1 document, generated from the routes and schemas that are used to serve and validate requests. */
import { listKeyword, ref, type Schema } from "../../model/schema.ts";
import { documentedComponents } from "../schemas/components.ts";
import { packageVersion } from "./packageVersion.ts";
import type { Answer, Body, Route, Schemas } from "./route.ts";

const everyHeader: Schemas = {
  "x-outlast-epoch": { type: "integer", description: "The epoch of the leader that this master knows." },
  "x-outlast-seq": { type: "integer", description: "The last journal entry that this master has read." },
};

export function openApiDocument(routes: readonly Route[]): object {
  const paths: { [path: string]: { [method: string]: object } } = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Outlast",
      version: packageVersion(),
      license: { name: "MIT", identifier: "MIT" },
      description:
        "A fault-tolerant distributed task scheduler. Instants are milliseconds since 1970, durations milliseconds. " +
        "If a JSON object has a key twice, the last value counts. `x-limit` beside a number is the name of that limit; `x-words` beside a pattern says what it asks for.",
    },
    jsonSchemaDialect: "https://json-schema.org/draft/2020-12/schema",
    servers: [{ url: "/" }],
    security: [{ token: [] }, { session: [] }],
    tags: [...new Set(routes.map((route) => route.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: documentedComponents,
      headers: Object.fromEntries(Object.entries(everyHeader).map(([name, schema]) => [name, header(schema)])),
      responses: { Error: errorResponse },
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description:
            "The root token, a token, or the secret of a session. Required where there is a root token, a user or a token.",
        },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "outlast-CLUSTER",
          description: "From `POST /v1/session`. Changes also need the headers `origin` and `x-outlast-csrf`.",
        },
      },
    },
  };
}

const errorResponse = {
  description: "What went wrong, and what to do about it. Each code has one status.",
  headers: commonHeaders(),
  content: { "application/json": { schema: ref("Error") } },
};

function operation(route: Route): object {
  const needed = route.queryNeeded ?? [];
  const parameters = [
    ...parametersOf("path", route.parameters, () => true),
    ...parametersOf("query", route.query, (name) => needed.includes(name)),
    ...parametersOf("header", route.headers, () => false),
  ];
  return {
    operationId: route.name,
    summary: route.summary,
    tags: [route.tag],
    ...(route.access.needs === "everybody" ? { security: [] } : {}),
    "x-access": route.access,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: requestBody(route.body) }),
    responses: {
      ...Object.fromEntries(Object.entries(route.answers).map(([status, answer]) => [status, response(answer)])),
      default: { $ref: "#/components/responses/Error" },
    },
  };
}

function parametersOf(
  where: "path" | "query" | "header",
  schemas: Schemas = {},
  isNeeded: (name: string) => boolean,
): object[] {
  return Object.entries(schemas).map(([name, schema]) => {
    const { description, [listKeyword]: items, ...rest } = schema;
    const isList = items !== undefined;
    return {
      name,
      in: where,
      required: isNeeded(name),
      ...(description === undefined ? {} : { description }),
      // One parameter with commas, not one for each item.
      ...(isList ? { style: "form", explode: false } : {}),
      schema: isList ? { type: "array", items } : rest,
    };
  });
}

function requestBody(body: Body): object {
  if (body.isRaw === true) {
    return {
      required: true,
      description: `At most \`${body.limit}\` bytes, of any type.`,
      content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } },
    };
  }
  const { schema, limit, isNdjson } = body;
  return {
    required: true,
    description: `At most \`${limit}\` bytes.`,
    content: {
      "application/json": { schema: ref(schema) },
      ...(isNdjson === true
        ? { "application/x-ndjson": { schema: { type: "string", description: "One `Submission` per line." } } }
        : {}),
    },
  };
}

function response({ description, schema, content, headers }: Answer): object {
  const bodies: { readonly [type: string]: Schema } = {
    ...(schema === undefined ? {} : { "application/json": ref(schema) }),
    ...content,
  };
  return {
    description,
    headers: {
      ...commonHeaders(),
      ...Object.fromEntries(Object.entries(headers ?? {}).map(([name, each]) => [name, header(each)])),
    },
    ...(Object.keys(bodies).length === 0
      ? {}
      : { content: Object.fromEntries(Object.entries(bodies).map(([type, each]) => [type, { schema: each }])) }),
  };
}

function commonHeaders(): object {
  return Object.fromEntries(Object.keys(everyHeader).map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function header(schema: Schema): object {
  const { description, ...rest } = schema;
  return { ...(description === undefined ? {} : { description }), schema: rest };
}
