/** How a person writes the address of a master, and the base URL that it stands for: the same for the CLI and the SDK. */
import { defaults } from "../model/limits.ts";

/**
 * The base URL of a master, such as `http://127.0.0.1:7070`, without what makes no difference; null if it is no address.
 * Without a scheme it means a master and not a web server, so the port is `defaults.port` where none is given.
 */
export function masterAddress(text: string): string | null {
  const given = text.trim();
  const [authority = ""] = given.split("/");
  const hasScheme = given.includes("://");
  if (authority === "" || (hasScheme && !/^https?:$/i.test(authority))) return null;
  const hasPort = /:\d+$/.test(authority.replace(/^\[.*\]/, ""));
  const withPort = hasPort ? authority : `${authority}:${defaults.port}`;
  const full = hasScheme ? given : `http://${withPort}${given.slice(authority.length)}`;
  if (!URL.canParse(full)) return null;
  const { origin, pathname, username, password, search, hash } = new URL(full);
  if (`${username}${password}${search}${hash}` !== "") return null;
  return `${origin}${pathname.replace(/\/+$/, "")}`;
}
