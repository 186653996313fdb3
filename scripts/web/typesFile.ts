/** Where the types of the API for the dashboard are. Not in the repository: they follow from the schemas. */
export const typesFile = "web/src/api/schema.ts";
