/** The client of S3, as every part of Outlast uses it. The SDK is loaded when the first one is made. */
import type { S3Client } from "@aws-sdk/client-s3";
import { s3Limits } from "../model/limitsS3.ts";

/**
 * Endpoint, region and credentials are found as all programs of AWS find them: in variables (`AWS_ENDPOINT_URL_S3`, `AWS_REGION`,
 * `AWS_ACCESS_KEY_ID`, …), profiles, or the role of the machine.
 */
export async function createS3Client(env: NodeJS.ProcessEnv = process.env): Promise<S3Client> {
  const { S3Client: Client } = await import("@aws-sdk/client-s3");
  const endpoint = endpointOf(env);
  // A server of one's own rarely cares; AWS does, and there the SDK looks further.
  const region = env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"] ?? (endpoint === null ? undefined : "us-east-1");
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  return new Client({
    ...(region !== undefined && { region }),
    ...(endpoint !== null && { endpoint }),
    forcePathStyle: isPathStyle(env, endpoint),
    followRegionRedirects: true,
    maxAttempts: s3Limits.attemptsMax,
    requestHandler: {
      connectionTimeout: s3Limits.connectMsMax,
      socketTimeout: s3Limits.silenceMsMax,
      httpAgent: { keepAlive: true, maxSockets: s3Limits.connectionsMax },
      httpsAgent: { keepAlive: true, maxSockets: s3Limits.connectionsMax },
      logger: silent,
    },
    logger: silent,
  });
}

/** Where the server is, for people; null for AWS itself. */
export function endpointOf(env: NodeJS.ProcessEnv = process.env): string | null {
  return env["AWS_ENDPOINT_URL_S3"] ?? env["AWS_ENDPOINT_URL"] ?? null;
}

/** Servers of one's own seldom have a name for every bucket. */
function isPathStyle(env: NodeJS.ProcessEnv, endpoint: string | null): boolean {
  const said = env["AWS_S3_FORCE_PATH_STYLE"];
  return said === undefined || said === "" ? endpoint !== null : said === "true" || said === "1";
}
