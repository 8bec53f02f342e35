// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The path of a request's target, normalized as Istio does by default (`pathNormalization: BASE`): `\` is `/`, escapes of
 * unreserved characters are undone, dot segments resolved. Policies, routes and the upstream then all see the same path,
 * so that `/public/..%2e/admin` and its like go round no policy. `%2F` and `//` stay as they are.
 *
 * @param path Begins with `/`; without query and fragment.
 */
export function normalizePath(path: string): string {
  // Nearly every path is normal already, and this test is all that it costs.
  if (!/[%\\]|\/\./.test(path)) return path;
  const plain = path
    .replace(/%([2-7][0-9a-f])/gi, (escape, hex: string) => {
      const character = String.fromCharCode(Number.parseInt(hex, 16));
      return /[\w.~-]/.test(character) ? character : escape;
    })
    .replaceAll("\\", "/");
  return plain.includes("/.") ? removeDotSegments(plain) : plain;
}

/** RFC 3986 section 5.2.4. */
function removeDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.split("/").slice(1);
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === "..") kept.pop();
    if (segment !== "." && segment !== "..") kept.push(segment);
    else if (last) kept.push("");
  }
  return `/${kept.join("/")}`;
}
