/** A MongoDB address: which database it names, and how it is shown to people without the credentials in it. */
import { StoreRefused } from "../../ports/store.ts";

export interface MongodbAddress {
  /** For the driver, credentials included. Never shown. */
  readonly uri: string;
  readonly database: string;
  /** For people: `mongodb host1:27017,host2/outlast`, without credentials and options. */
  readonly name: string;
  /** Parts of the address that must not appear in any message. */
  readonly secrets: readonly string[];
}

const databaseNameLengthMax = 38;
const defaultDatabase = "outlast";

/** @throws StoreRefused for an address that no driver could use; the message does not repeat it */
export function parseAddress(uri: string): MongodbAddress {
  const parts = /^(mongodb(?:\+srv)?):\/\/(?:([^@/?]*)@)?([^/?@]+)(?:\/([^?]*))?(?:\?(.*))?$/.exec(uri);
  if (parts === null) {
    throw new StoreRefused(
      "This is not a MongoDB address.",
      "Write it as mongodb://HOST:PORT/DATABASE; reserved characters in a user name or password are percent-encoded.",
    );
  }
  const [, scheme = "", userInfo = "", hosts = "", path = ""] = parts;
  const database = path === "" ? defaultDatabase : decode(path);
  if (!/^[A-Za-z0-9_-]+$/.test(database) || database.length > databaseNameLengthMax) {
    throw new StoreRefused(
      "The database in this MongoDB address has a name that Outlast does not use.",
      `A name has 1 to ${databaseNameLengthMax} letters, digits, "_" and "-": mongodb://HOST:PORT/outlast.`,
    );
  }
  const colon = userInfo.indexOf(":");
  const password = colon === -1 ? "" : userInfo.slice(colon + 1);
  const secrets = [userInfo, password, decode(password)].filter((text) => text !== "");
  return { uri, database, name: `${scheme} ${hosts}/${database}`, secrets };
}

/** The address with credentials from somewhere else, such as the environment. */
export function withCredentials(uri: string, username: string, password: string): string {
  const scheme = /^mongodb(\+srv)?:\/\//.exec(uri)?.[0] ?? "";
  const rest = uri.slice(scheme.length);
  if (/^[^/?]*@/.test(rest)) {
    throw new StoreRefused(
      "The store's address holds credentials, and the environment has others.",
      "Set OUTLAST_STORE_USERNAME and OUTLAST_STORE_PASSWORD, or write both into the address, but not in both places.",
    );
  }
  return `${scheme}${encodeURIComponent(username)}:${encodeURIComponent(password)}@${rest}`;
}

/** `text` without anything of the address that is secret. */
export function withoutSecrets(text: string, { secrets }: Pick<MongodbAddress, "secrets">): string {
  let clean = text.replaceAll(/(mongodb(?:\+srv)?:\/\/)[^@/\s]*@/g, "$1");
  for (const secret of secrets) clean = clean.replaceAll(secret, "***");
  return clean;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
