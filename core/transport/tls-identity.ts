import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** Entries of a subjectAltName text as Node.js prints it: `DNS:a, URI:sip:b`; a value with odd chars is a JSON string. */
const ENTRY = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy;

/**
 * Whether a certificate is that of a SIP domain or host (RFC 5922 7.1, 7.2): by its SIP URIs if it has any, else by its DNS names, in their entirety (no
 * wildcards); by its subject if it has neither. A numeric address must stand there as one.
 */
export function isCertificateOf(
  certificate: Pick<X509Certificate, 'subjectAltName' | 'checkHost' | 'checkIP'>,
  host: string,
): boolean {
  if (isIP(host) !== 0) return certificate.checkIP(host) !== undefined;
  const domains = sipDomains(certificate.subjectAltName ?? '');
  if (domains.length > 0) return domains.includes(host.toLowerCase());
  return certificate.checkHost(host, { wildcards: false }) !== undefined;
}

/** Domains of SIP URIs without a user part: those identify domains. */
function sipDomains(names: string): readonly string[] {
  const domains: string[] = [];
  for (const [, kind, value = ''] of names.matchAll(ENTRY)) {
    const [, domain] = kind === 'URI' ? (/^sip:([^@;?:"]+)$/i.exec(value) ?? []) : [];
    if (domain !== undefined) domains.push(domain.toLowerCase());
  }
  return domains;
}

/** Takes the place of Node.js's check of server certificates, which knows no SIP URIs. Undefined when all is well. */
export function checkSipIdentity(host: string, { raw }: { readonly raw: Buffer }): Error | undefined {
  if (isCertificateOf(new X509Certificate(raw), host)) return undefined;
  return new Error(`the peer's certificate is not that of ${host}`);
}
