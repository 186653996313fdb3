/** `node scripts/mongodbServer.ts install` fetches the test server; `… run [--port N] [--folder DIR]` runs it until Ctrl-C. */
import { once } from "node:events";
import { parseArgs } from "node:util";
import { installServer } from "./mongodb/install.ts";
import { TestServer } from "./mongodb/testServer.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { port: { type: "string" }, folder: { type: "string" } },
});

switch (positionals[0]) {
  case "install":
    console.log(await installServer());
    break;
  case "run": {
    const server = await TestServer.start({
      ...(values.port === undefined ? {} : { port: Number(values.port) }),
      ...(values.folder === undefined ? {} : { folder: values.folder }),
    });
    console.log(server.uri());
    await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
    await server.stop();
    break;
  }
  default:
    console.error("Say `install`, or `run` with --port and --folder if you like.");
    process.exitCode = 2;
}
