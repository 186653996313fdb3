/** The files of TLS: a master's certificate and key, also when they are renewed, and the authorities that clients trust. */
import { readFileSync } from "node:fs";
import type * as Tls from "node:tls";
import type { TlsContent } from "../api/http/server.ts";
import { UsageError } from "./failure.ts";

export interface TlsFlags {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** Undefined for a master without TLS. @throws UsageError */
export function readTls({ tlsCert, tlsKey }: TlsFlags): TlsContent | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new UsageError("--tls-cert and --tls-key belong together.", "Give both, or none for plain HTTP.");
  const content = { cert: read(tlsCert), key: read(tlsKey) };
  try {
    tls().createSecureContext(content);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `${tlsCert} and ${tlsKey} cannot be used: ${reason}.`,
      "Both are files in PEM that belong together.",
    );
  }
  return content;
}

/** Trusts the certificates in this file in all connections of this process, with those that Node trusts. @throws UsageError */
export function trustAuthority(path: string): void {
  const pem = read(path);
  const { setDefaultCACertificates, getCACertificates } = tls();
  if (typeof setDefaultCACertificates !== "function")
    throw new UsageError("--tls-ca needs Node 24.5 or newer.", "Set NODE_EXTRA_CA_CERTS to the file instead.");
  try {
    // Without a certificate in it, a file is passed over in silence.
    new (process.getBuiltinModule("node:crypto").X509Certificate)(pem);
    setDefaultCACertificates([...getCACertificates("default"), pem]);
  } catch {
    throw new UsageError(`${path} holds no certificates in PEM.`);
  }
}

/** Commands without TLS do not load it. */
function tls(): typeof Tls {
  return process.getBuiltinModule("node:tls");
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`The file ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}
