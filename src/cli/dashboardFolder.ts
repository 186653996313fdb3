/** Where the built dashboard is: beside the program in the package, and where a build puts it in a checkout. */
import { join } from "node:path";

export const dashboardFolder = join(import.meta.dirname, "..", "..", "dist", "web");
