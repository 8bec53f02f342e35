// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Naming, matching and resolution of hosts: Istio's rules, which follow Kubernetes' DNS. */

const CLUSTER_SUFFIX = ".svc.cluster.local";

/**
 * The canonical name of a host that may be written in several ways: in a document of the namespace shop,
 * `reviews`, `reviews.shop` and `reviews.shop.svc` are all `reviews.shop.svc.cluster.local`. Other names are
 * unchanged.
 */
export function canonicalHost(host: string, namespace: string): string {
  if (host === "*" || host.startsWith("*.")) return host;
  const labels = host.split(".");
  if (labels.length === 1) return `${host}.${namespace}${CLUSTER_SUFFIX}`;
  if (labels.length === 2 && labels[1] === namespace) return host + CLUSTER_SUFFIX;
  return labels.length === 3 && labels[2] === "svc" ? `${host}.cluster.local` : host;
}

export function isWildcard(host: string): boolean {
  return host.startsWith("*");
}

/**
 * Whether `pattern` (a host, `*.example.com` or `*`) covers `host`, which may be a wildcard too; both
 * canonical. `*.example.com` covers every name below example.com, but not example.com.
 */
export function hostCovers(pattern: string, host: string): boolean {
  if (pattern === "*" || pattern === host) return true;
  return pattern.startsWith("*.") && host.length > pattern.length - 1 && host.endsWith(pattern.slice(1));
}

/**
 * The more specific of two overlapping hosts, of a Gateway and a VirtualService; undefined when they do not
 * overlap.
 */
export function hostIntersection(a: string, b: string): string | undefined {
  if (hostCovers(a, b)) return b;
  return hostCovers(b, a) ? a : undefined;
}

/** Orders host patterns by specificity: exact hosts, then longer suffixes, then `*`. */
export function compareExactness(a: string, b: string): number {
  return exactness(b) - exactness(a);
}

function exactness(host: string): number {
  return host === "*" ? 0 : isWildcard(host) ? host.length : Number.MAX_SAFE_INTEGER;
}

/** Name and namespace in a service's host, for attributes: `reviews.shop.svc…` is reviews in shop. */
export function splitHost(
  host: string,
  documentNamespace: string,
): { readonly name: string; readonly namespace: string } {
  const [name, namespace, svc] = host.split(".");
  return { name: name as string, namespace: svc === "svc" ? (namespace as string) : documentNamespace };
}

/**
 * Finds a service by host as documents write it. `services` are keyed by canonical host. `reviews.shop`,
 * which in another namespace could also be an internet name, is the service of that name in shop if there is
 * one.
 *
 * @param namespace Namespace of the document that refers to the host.
 */
export function resolveHost<T>(
  services: ReadonlyMap<string, T>,
  host: string,
  namespace: string,
): T | undefined {
  return services.get(canonicalHost(host, namespace)) ?? services.get(host + CLUSTER_SUFFIX);
}

/**
 * All spellings of a service's host that a client may use, the declared one first: `reviews`, `reviews.shop`,
 * `reviews.shop.svc`, `reviews.shop.svc.cluster.local`.
 *
 * @param clientNamespace The client's namespace: only there is the bare name valid.
 */
export function hostAliases(
  host: string,
  namespace: string,
  clientNamespace: string,
): readonly [string, ...string[]] {
  const canonical = canonicalHost(host, namespace);
  const [, name, ownNamespace] = /^([^.]+)\.([^.]+)\.svc\.cluster\.local$/.exec(canonical) ?? [];
  if (name === undefined || ownNamespace === undefined) return [host];
  const qualified = `${name}.${ownNamespace}`;
  const aliases = [qualified, `${qualified}.svc`, canonical];
  if (ownNamespace === clientNamespace) aliases.unshift(name);
  return [host, ...aliases.filter((alias) => alias !== host)];
}

/**
 * The authority of a mirrored request: the host gets `-shadow` before its port, as in Envoy, so that logs tell copies
 * from requests. The address of an IPv6 literal stays as it is.
 */
export function shadowAuthority(authority: string): string {
  if (authority === "" || authority.startsWith("[")) return authority;
  const colon = authority.indexOf(":");
  return colon < 0 ? `${authority}-shadow` : `${authority.slice(0, colon)}-shadow${authority.slice(colon)}`;
}
