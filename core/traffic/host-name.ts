// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** How hosts are named, matched and resolved: Istio's rules, which are those of Kubernetes' DNS. */

const CLUSTER_SUFFIX = ".svc.cluster.local";

/**
 * The one name for a host that may be written in several ways: in a document of the namespace shop, `reviews`,
 * `reviews.shop` and `reviews.shop.svc` are all `reviews.shop.svc.cluster.local`. Other names stand for themselves.
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
 * Whether `pattern` (a host, `*.example.com` or `*`) covers `host`, which may be a wildcard too; both canonical.
 * `*.example.com` covers every name below example.com, and not example.com.
 */
export function hostCovers(pattern: string, host: string): boolean {
  if (pattern === "*" || pattern === host) return true;
  return pattern.startsWith("*.") && host.length > pattern.length - 1 && host.endsWith(pattern.slice(1));
}

/** The more exact of two hosts when they have any in common: what a Gateway and a VirtualService agree on. */
export function hostIntersection(a: string, b: string): string | undefined {
  if (hostCovers(a, b)) return b;
  return hostCovers(b, a) ? a : undefined;
}

/** Orders host patterns from the most exact: exact hosts, then longer suffixes, then `*`. */
export function compareExactness(a: string, b: string): number {
  return exactness(b) - exactness(a);
}

function exactness(host: string): number {
  return host === "*" ? 0 : isWildcard(host) ? host.length : Number.MAX_SAFE_INTEGER;
}

/** What a service's host says of its name and namespace, for attributes: `reviews.shop.svc…` is reviews in shop. */
export function splitHost(
  host: string,
  documentNamespace: string,
): { readonly name: string; readonly namespace: string } {
  const [name, namespace, svc] = host.split(".");
  return { name: name as string, namespace: svc === "svc" ? (namespace as string) : documentNamespace };
}

/**
 * Finds by host as documents write it. `services` are keyed by canonical host. `reviews.shop`, which from another
 * namespace might as well be a name of the internet's, is the service of that name in shop when there is one.
 *
 * @param namespace Of the document that refers to the host.
 */
export function resolveHost<T>(
  services: ReadonlyMap<string, T>,
  host: string,
  namespace: string,
): T | undefined {
  return services.get(canonicalHost(host, namespace)) ?? services.get(host + CLUSTER_SUFFIX);
}

/**
 * Every way in which a client may write a service's host, the host as declared first: `reviews`, `reviews.shop`,
 * `reviews.shop.svc`, `reviews.shop.svc.cluster.local`.
 *
 * @param clientNamespace Where the client is: only there is the bare name good.
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
