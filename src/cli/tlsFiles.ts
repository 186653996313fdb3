/** The files of TLS: a master's certificate and key, also when they are renewed, the authorities that clients trust, and the certificates that they show. */
import { readFileSync } from "node:fs";
import type * as Tls from "node:tls";
import type { TlsContent } from "../api/http/server.ts";
import { defaults } from "../model/limits.ts";
import { type CertificateNeed, noCertificate, type ShowCertificate } from "../ports/transport.ts";
import { UsageError } from "./failure.ts";

export interface TlsFlags {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsClientCa?: string;
  readonly tlsClients?: CertificateNeed;
}

/** Of the certificate that a process shows to masters. */
export interface ClientFlags {
  readonly tlsClientCert?: string;
  readonly tlsClientKey?: string;
}

/** Undefined for a master without TLS. @throws UsageError */
export function readTls({ tlsCert, tlsKey, tlsClientCa }: TlsFlags): TlsContent | undefined {
  if (tlsCert === undefined && tlsKey === undefined) {
    if (tlsClientCa === undefined) return undefined;
    throw new UsageError("--tls-client-ca needs TLS.", "Give --tls-cert and --tls-key, too.");
  }
  if (tlsCert === undefined || tlsKey === undefined)
    throw new UsageError("--tls-cert and --tls-key belong together.", "Give both, or none for plain HTTP.");
  const pair = readPair(tlsCert, tlsKey);
  return tlsClientCa === undefined ? pair : { ...pair, ca: readAuthority(tlsClientCa) };
}

/**
 * The certificate of these files at each call; they are read again now and then, since they are renewed. Files that cannot be
 * used any more leave the certificate before.
 * @param own of a master, which shows its own where it was given no other
 * @throws UsageError where the files cannot be used from the beginning
 */
export function showCertificate({ tlsClientCert, tlsClientKey }: ClientFlags, own?: TlsFlags): ShowCertificate {
  const [cert, key] = [tlsClientCert ?? own?.tlsCert, tlsClientKey ?? own?.tlsKey];
  if ((tlsClientCert === undefined) !== (tlsClientKey === undefined))
    throw new UsageError("--tls-client-cert and --tls-client-key belong together.", "Give both, or none.");
  if (cert === undefined || key === undefined) return noCertificate;
  let pair = readPair(cert, key);
  let readAt = performance.now();
  return () => {
    if (performance.now() - readAt < defaults.tlsLookMs) return pair;
    readAt = performance.now();
    try {
      pair = readPair(cert, key);
    } catch {
      // It is tried again, and masters say what is wrong with an old one.
    }
    return pair;
  };
}

/** @throws UsageError */
function readPair(certFile: string, keyFile: string): { readonly cert: string; readonly key: string } {
  const pair = { cert: read(certFile), key: read(keyFile) };
  try {
    tls().createSecureContext(pair);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `${certFile} and ${keyFile} cannot be used: ${reason}.`,
      "Both are files in PEM that belong together.",
    );
  }
  return pair;
}

/** @throws UsageError */
function readAuthority(path: string): string {
  const pem = read(path);
  try {
    // Without a certificate in it, a file is passed over in silence.
    new (process.getBuiltinModule("node:crypto").X509Certificate)(pem);
    return pem;
  } catch {
    throw new UsageError(`${path} holds no certificates in PEM.`);
  }
}

/** Trusts the certificates in this file in all connections of this process, with those that Node trusts. @throws UsageError */
export function trustAuthority(path: string): void {
  const pem = readAuthority(path);
  const { setDefaultCACertificates, getCACertificates } = tls();
  if (typeof setDefaultCACertificates !== "function")
    throw new UsageError("--tls-ca needs Node 24.5 or newer.", "Set NODE_EXTRA_CA_CERTS to the file instead.");
  setDefaultCACertificates([...getCACertificates("default"), pem]);
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
