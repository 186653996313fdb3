/** Serves the dashboard at `/`: its files, and its start page for every path that the browser itself routes. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type DashboardFile, type DashboardFiles, readDashboard } from "./dashboardFiles.ts";

/** Scripts and styles come from this master only, none of them inline; nobody may frame the page. */
const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** What a checkout without a build answers. */
const notBuilt = `The dashboard is not built in this checkout. Build it with:

    npm run build:web

Then load this page again. The API is at /v1, its document at /openapi.json.
`;

const yearSeconds = 31_536_000;

/** Paths of the API: a mistyped one must say so, and never answer with a page. */
const ofApi = /^\/(?:v\d+|metrics|healthz|readyz|openapi\.json|assets)(?:\/|$)/;

export class DashboardServer {
  readonly #folder: string;
  #files: DashboardFiles | null = null;
  #reading: Promise<DashboardFiles | null> | null = null;

  /** @param folder where the built files are, or will be */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Adds the routes of `/` and of its files. */
  serve(http: FastifyInstance): void {
    const config = { isDashboard: true };
    http.get("/", { config }, (_request, reply) => this.sendPage(reply));
    http.get("/assets/:file", { config }, async (request, reply) => {
      const { file: name } = request.params as { file: string };
      const file = (await this.#read())?.get(`/assets/${name}`);
      if (file === undefined) return reply.code(404).header("cache-control", "no-store").type("text/plain").send("");
      return send(request, reply, file);
    });
  }

  /** True for a path that belongs to no route and that a person's browser asks for as a page. */
  wants({ method, url, headers }: FastifyRequest): boolean {
    if (method !== "GET" && method !== "HEAD") return false;
    return headers.accept?.includes("text/html") === true && !ofApi.test(url);
  }

  async sendPage(reply: FastifyReply): Promise<FastifyReply> {
    const page = (await this.#read())?.get("/index.html");
    if (page === undefined) return reply.code(503).type("text/plain; charset=utf-8").send(notBuilt);
    return send(reply.request, reply, page);
  }

  /** A build that is made while the master runs is found by the next request. */
  async #read(): Promise<DashboardFiles | null> {
    if (this.#files !== null) return this.#files;
    this.#reading ??= readDashboard(this.#folder);
    this.#files = await this.#reading;
    this.#reading = null;
    return this.#files;
  }
}

function send(request: FastifyRequest, reply: FastifyReply, file: DashboardFile): FastifyReply {
  reply
    .header("content-security-policy", contentPolicy)
    .header("cache-control", file.isImmutable ? `public, max-age=${yearSeconds}, immutable` : "no-cache")
    .header("etag", file.etag)
    .header("vary", "accept-encoding")
    .type(file.type);
  if (request.headers["if-none-match"] === file.etag) return reply.code(304).send();
  const takesGzip = /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""));
  if (file.gzipped === null || !takesGzip) return reply.send(file.body);
  return reply.header("content-encoding", "gzip").send(file.gzipped);
}
