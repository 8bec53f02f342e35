// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A SPIFFE id in its parts (SPIFFE-ID specification, section 2). */
export interface SpiffeId {
  /** In lower case, such as `cluster.local`. */
  readonly trustDomain: string;
  /** Begins with a slash; empty for the id of the trust domain itself. */
  readonly path: string;
}

/** The identity of a workload: a service account of a namespace. */
export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

/** The service account of the identity service itself: proxies accept no other server, and no workload may have it. */
export const IDENTITY_SERVICE_ACCOUNT: ServiceAccount = { namespace: "purser-system", name: "identity" };

/** Longest id, in characters, all of which are ASCII (SPIFFE-ID, section 2.3). */
const MAX_ID_LENGTH = 2_048;
/** Longest trust domain, in characters (SPIFFE-ID, section 2.3). */
const MAX_TRUST_DOMAIN_LENGTH = 255;

const SCHEME = "spiffe://";
const TRUST_DOMAIN = /^[a-z0-9._-]+$/;
const SEGMENT = /^[a-zA-Z0-9._-]+$/;
/** RFC 1123, section 2.1, as Kubernetes' names of namespaces. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const MAX_NAME_LENGTH = 253;

/** Reason that the text is not a SPIFFE id; undefined when it is one. */
export function spiffeIdFault(text: string): string | undefined {
  if (text.length > MAX_ID_LENGTH) return `it has more than ${MAX_ID_LENGTH} characters`;
  if (!text.startsWith(SCHEME)) return `it does not begin with ${SCHEME}`;
  const { trustDomain, path } = split(text);
  return trustDomainFault(trustDomain) ?? pathFault(path);
}

/** Reason that the text is not the name of a trust domain; undefined when it is one. */
export function trustDomainFault(text: string): string | undefined {
  if (text === "") return "it has no trust domain";
  if (text.length > MAX_TRUST_DOMAIN_LENGTH)
    return `its trust domain has more than ${MAX_TRUST_DOMAIN_LENGTH} characters`;
  // The set has no colon and no @: a port or user information is refused with the rest.
  if (!TRUST_DOMAIN.test(text))
    return "its trust domain has characters other than a-z, 0-9, '.', '-' and '_'";
  return undefined;
}

function pathFault(path: string): string | undefined {
  if (path === "") return undefined;
  for (const segment of path.slice(1).split("/")) {
    if (segment === "") return "its path has an empty segment, or ends with a slash";
    if (segment === "." || segment === "..") return "its path has a segment '.' or '..'";
    // The set has no %, ? and #: percent-encoding, a query and a fragment are refused with the rest.
    if (!SEGMENT.test(segment)) return "its path has characters other than letters, digits, '.', '-' and '_'";
  }
  return undefined;
}

/** The parts of a SPIFFE id; undefined when the text is not one. */
export function parseSpiffeId(text: string): SpiffeId | undefined {
  return spiffeIdFault(text) === undefined ? split(text) : undefined;
}

export function formatSpiffeId({ trustDomain, path }: SpiffeId): string {
  return SCHEME + trustDomain + path;
}

function split(text: string): SpiffeId {
  const rest = text.slice(SCHEME.length);
  const slash = rest.indexOf("/");
  return slash < 0
    ? { trustDomain: rest, path: "" }
    : { trustDomain: rest.slice(0, slash), path: rest.slice(slash) };
}

/** The id of a service account, in Istio's form: `spiffe://DOMAIN/ns/NAMESPACE/sa/NAME`. */
export function workloadIdOf(trustDomain: string, { namespace, name }: ServiceAccount): string {
  return formatSpiffeId({ trustDomain, path: `/ns/${namespace}/sa/${name}` });
}

/** The service account that an id names; undefined for an id of another form. */
export function serviceAccountOf({ path }: SpiffeId): ServiceAccount | undefined {
  const [, ns, namespace = "", sa, name = "", ...rest] = path.split("/");
  if (ns !== "ns" || sa !== "sa" || rest.length > 0) return undefined;
  const account = { namespace, name };
  return isServiceAccount(account) ? account : undefined;
}

/** The service account of a text `NAMESPACE/NAME`; undefined when it is not of this form. */
export function parseServiceAccount(text: string): ServiceAccount | undefined {
  const [namespace = "", name = "", ...rest] = text.split("/");
  const account = { namespace, name };
  return rest.length === 0 && isServiceAccount(account) ? account : undefined;
}

/** Kubernetes' rules: a namespace is a DNS label, a service account's name a DNS subdomain of 253 characters at most. */
function isServiceAccount({ namespace, name }: ServiceAccount): boolean {
  return (
    LABEL.test(namespace) &&
    name.length <= MAX_NAME_LENGTH &&
    name.split(".").every((label) => LABEL.test(label))
  );
}
