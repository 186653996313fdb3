/** `node bench/mapReduce/install.ts` installs what `npm run bench:mapreduce` compares with: Debian packages, and Python packages in the cache. */
import { installPackages } from "../../scripts/debianPackages.ts";
import { debianPackages } from "./contenders.ts";
import { installPythonPackages } from "./pythonPackages.ts";

await installPackages(debianPackages);
await installPythonPackages();
