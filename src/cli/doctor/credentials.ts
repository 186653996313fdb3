/** Whether the token of this command is strong, and whether a cluster asks for credentials at all. */
import { isLoopback } from "../../api/auth/access.ts";
import { limits } from "../../model/limits.ts";
import type { MasterReport } from "../../sdk/masterReport.ts";
import { type Finding, good } from "./finding.ts";

/** What an open cluster means, and what to do about it. */
export const openText = [
  "This cluster is open: it has no token and no users, so everybody who reaches a master may do everything, and so may every task.",
  "That is fine on a machine of your own. Elsewhere add an admin (outlast user add NAME --role admin), or set OUTLAST_TOKEN for all masters, workers and clients.",
] as const;

export function checkToken(token: string | null): Finding[] {
  if (token === null) return [good("token", "none is set for this command")];
  if (token.length >= limits.tokenLengthMin) return [good("token", "set")];
  return [
    {
      verdict: "odd",
      what: "token",
      message: `The token has only ${token.length} characters: it can be guessed.`,
      advice: "Make one with: openssl rand -base64 32",
    },
  ];
}

/** Masters of 0.1.0 do not tell whether they are open. */
export function checkOpen(reports: readonly Pick<MasterReport, "address" | "isOpen">[]): Finding[] {
  if (!reports.some(({ isOpen }) => isOpen === true)) {
    const isKnown = reports.some(({ isOpen }) => isOpen === false);
    return isKnown ? [good("access", "every request needs a credential")] : [];
  }
  const [message, advice] = openText;
  return [{ verdict: "odd", what: "access", message, advice }];
}

/** Tokens and passwords go over the network with every request. Of a proxy we cannot tell whether it has TLS, nor how it is reached. */
export function checkTls(reports: readonly Pick<MasterReport, "address" | "isBehindProxy">[]): Finding[] {
  const plain = reports.filter(({ address, isBehindProxy }) => {
    if (isBehindProxy === true) return false;
    const { protocol, hostname } = new URL(address);
    return protocol === "http:" && !isLoopback(hostname.replace(/^\[|\]$/g, ""));
  });
  return plain.map(({ address }) => ({
    verdict: "odd",
    what: "tls",
    message: `${address} is reached without TLS: whoever listens on that network reads tokens and tasks.`,
    advice: "Start its master with --tls-cert and --tls-key, or with --behind-proxy behind a proxy that has TLS.",
  }));
}
