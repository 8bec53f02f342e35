// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The static table (RFC 7541, appendix A): the name of each entry from index 1 on, then a space and the value if it has one. */
const ENTRIES = `
:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate
`
  .trim()
  .split("\n");

/** Number of entries; the dynamic table's newest entry has the next index. */
export const STATIC_ENTRIES = ENTRIES.length;

/** Names by index; index 0 is not used. */
export const STATIC_NAMES: readonly string[] = [
  "",
  ...ENTRIES.map((entry) => entry.split(" ", 1)[0] as string),
];

/** Values by index; index 0 is not used. */
export const STATIC_VALUES: readonly string[] = [
  "",
  ...ENTRIES.map((entry) => (entry.includes(" ") ? entry.slice(entry.indexOf(" ") + 1) : "")),
];

/** Bytes that an entry takes in a table beside its name and value (RFC 7541, section 4.1). */
export const ENTRY_OVERHEAD_BYTES = 32;

/** Size of the dynamic table before any SETTINGS (RFC 9113, section 6.5.2). */
export const DEFAULT_TABLE_BYTES = 4096;
