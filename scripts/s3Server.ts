/** `node scripts/s3Server.ts install` builds the S3 server of the tests; `… run [--port N] [--folder DIR] [BUCKET…]` runs it until Ctrl-C. */
import { once } from "node:events";
import { parseArgs } from "node:util";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { installServer } from "./s3/install.ts";
import { TestServer } from "./s3/testServer.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { port: { type: "string" }, folder: { type: "string" } },
});
const [command, ...buckets] = positionals;

switch (command) {
  case "install":
    console.log(await installServer());
    break;
  case "run": {
    const server = await TestServer.start({
      ...(values.port === undefined ? {} : { port: Number(values.port) }),
      ...(values.folder === undefined ? {} : { folder: values.folder }),
    });
    Object.assign(process.env, server.env);
    const client = new S3Client({ forcePathStyle: true });
    for (const name of buckets) await client.send(new CreateBucketCommand({ Bucket: name })).catch(report);
    for (const [name, value] of Object.entries(server.env)) console.log(`export ${name}=${value}`);
    await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
    await server.stop();
    break;
  }
  default:
    console.error("Say `install`, or `run` with --port, --folder and names of buckets if you like.");
    process.exitCode = 2;
}

function report(error: unknown): void {
  if (error instanceof Error && error.name === "BucketAlreadyOwnedByYou") return;
  throw error;
}
