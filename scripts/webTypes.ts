/** `npm run web:types`: brings the types that the dashboard has of the API up to date. */
import { writeApiTypes } from "./web/apiTypes.ts";

await writeApiTypes();
