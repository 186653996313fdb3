/** JSON values as they travel: what a task takes in and gives back. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };
