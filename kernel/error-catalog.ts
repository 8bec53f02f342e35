// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { catalog } from "./catalog-entry.ts";

/**
 * Every error that a user can cause or meet: its code, its meaning and its remedy. Codes are never reused.
 * `docs/reference/errors.md` is generated from this table; a test compares the table, the documentation and the uses in
 * the code.
 */
export const ERROR_CATALOG = catalog({
  // Documents: found while reading a set; always with file, line and column.
  PURSER_DOC_SYNTAX: {
    summary: "The file is not valid YAML.",
    remedy: "Correct the YAML at the place shown; the last good set stays in force until then.",
  },
  PURSER_DOC_UNREADABLE: {
    summary: "A configuration file or folder could not be read.",
    remedy: "Check that the path exists and that this user may read it.",
  },
  PURSER_DOC_ENVELOPE: {
    summary: "A document lacks apiVersion, kind or metadata.name, or one of them is malformed.",
    remedy: "Give every document an apiVersion, a kind and a metadata.name.",
  },
  PURSER_DOC_SKIPPED: {
    summary: "A document of another program was skipped, as --skip-foreign asks.",
    remedy: "Nothing needs to be done.",
  },
  PURSER_DOC_UNKNOWN_KIND: {
    summary: "The kind, or its apiVersion, is not one that Purser knows.",
    remedy:
      "Use one of the kinds listed in docs/reference/documents.md and docs/reference/routing.md with the apiVersion given there; --skip-foreign skips documents of other programs.",
  },
  PURSER_DOC_UNKNOWN_FIELD: {
    summary: "The document has a field that its kind does not define.",
    remedy: "Remove the field or correct its name; unsupported fields are refused rather than ignored.",
  },
  PURSER_DOC_MISSING_FIELD: {
    summary: "A field that the kind requires is absent.",
    remedy: "Add the field; schemas/purser.schema.json says what it holds.",
  },
  PURSER_DOC_INVALID_VALUE: {
    summary: "A field has a value of the wrong type, form or range.",
    remedy: "Give the field a value of the form that the message names.",
  },
  PURSER_DOC_DUPLICATE: {
    summary: "Two documents have the same kind, namespace and name.",
    remedy: "Rename or remove one of them.",
  },
  PURSER_DOC_TOO_LARGE: {
    summary: "A configuration file, or the whole set, is larger than the limit.",
    remedy:
      "Split the file, or make the set smaller: a long list belongs in a file of its own that a handler reads.",
  },
  PURSER_DOC_NO_EFFECT: {
    summary: "A part of a document has a meaning elsewhere and no effect here.",
    remedy:
      "Read the message for the reason, and remove the part or write what the message names. --strict makes it an error.",
  },
  PURSER_CONFIG_EMPTY: {
    summary: "A set of documents, or a part of it, is empty, as when a volume is not mounted.",
    remedy:
      "Restore the documents. If nothing is to be enforced, add a document of the kind EmptySet there, or pass --allow-empty.",
  },
  PURSER_REF_UNKNOWN: {
    summary: "A document refers to another one that does not exist.",
    remedy: "Correct the name, or add the document it refers to.",
  },
  PURSER_REF_UNRESOLVED: {
    summary:
      "A document refers to a service, a subset, a Gateway or a provider that no document declares, or that no ReferenceGrant permits.",
    remedy:
      "Correct the name, or add the document: until then, requests for the service or the subset are refused. --strict makes it an error.",
  },
  PURSER_REF_UNSUITABLE: {
    summary: "A document refers to another one that exists but cannot serve there.",
    remedy: "Refer to a document of the kind that the message names.",
  },
  // Expressions: found while reading a set, or while evaluating.
  PURSER_EXPR_SYNTAX: {
    summary: "The expression is not valid JSONata.",
    remedy: "Correct the expression at the place shown; docs/guides/policies.md has examples.",
  },
  PURSER_EXPR_UNKNOWN_ATTRIBUTE: {
    summary: "The expression names an attribute that no manifest declares.",
    remedy: "Correct the name, or declare the attribute with an AttributeManifest.",
  },
  PURSER_EXPR_PHASE: {
    summary: "The expression reads an attribute of the response where only the request is known.",
    remedy: "Read request attributes in policies and quotas; response attributes belong in telemetry.",
  },
  PURSER_EXPR_FORBIDDEN: {
    summary: "The expression uses a function that policies may not use.",
    remedy: "Rewrite the expression without it: $eval hides what it reads from every check.",
  },
  PURSER_EXPR_TYPE: {
    summary: "The expression compares or combines values of types that do not go together.",
    remedy: "Convert one of them, or compare with a value of the type in docs/reference/attributes.md.",
  },
  PURSER_EXPR_ARGUMENT: {
    summary: "The expression calls a function with arguments that it does not take.",
    remedy: "Give the function arguments of the types that it takes: $string() and $number() convert.",
  },
  PURSER_EXPR_CONDITION: {
    summary: "The expression has a value that is not boolean where a condition is needed.",
    remedy: "Compare the value with a constant, or test with $exists() whether it is present.",
  },
  PURSER_EXPR_ABSENT: {
    summary: "The condition is decided the wrong way for requests that lack an attribute.",
    remedy: "Write what an absent attribute means, with $exists() or as the message shows.",
  },
  PURSER_EXPR_CONSTANT: {
    summary: "A condition, or a part of it, is the same for every request.",
    remedy:
      "Correct the condition or remove it. ?? and ?: extend to the end of the expression: put their right side in parentheses.",
  },
  PURSER_EXPR_PATTERN: {
    summary:
      "A regular expression has a construct of another dialect, which means something else in JavaScript.",
    remedy: "Write the pattern that the message shows; docs/guides/policies.md lists the constructs.",
  },
  PURSER_EXPR_IMPOSSIBLE: {
    summary:
      "A condition compares an attribute with a constant that the attribute can never equal, contain or match.",
    remedy: "Write the constant in the attribute's form, which docs/reference/attributes.md shows.",
  },
  PURSER_EXPR_BYPASS: {
    summary:
      "A condition can be bypassed: a client can write a request in another form, which the condition misses or lets pass.",
    remedy:
      "Write the condition as the message shows; docs/guides/policies.md lists the conditions that cannot be bypassed.",
  },
  PURSER_EXPR_ENDLESS: {
    summary: "A function calls itself for every argument, so that its evaluation never ends.",
    remedy: "End the recursion with a condition (? :), or use $map, $filter or $reduce.",
  },
  PURSER_EXPR_UNCACHED: {
    summary: "The expression's value changes by itself, so that no proxy can cache the decision.",
    remedy:
      "Use request.time in place of $now() and $millis(); or set validDuration to 0s if the decision must not be cached.",
  },
  PURSER_EXPR_EVALUATION: {
    summary: "The expression failed, exceeded its limits, or gave a value of the wrong type.",
    remedy: "See the JSONata code in the message; the document's onError decided the request.",
  },
  // Extensions and handlers.
  PURSER_EXTENSION_LOAD: {
    summary: "An extension module could not be loaded, or exports no extension.",
    remedy:
      "Check the module specifier; the module must export values made with defineAdapter or definePlugin.",
  },
  PURSER_HANDLER_BUILD: {
    summary: "A handler's adapter or plugin failed while it was being built.",
    remedy: "See the cause; the last good configuration stays in force.",
  },
  PURSER_HANDLER_FAILED: {
    summary: "A handler failed during a call.",
    remedy:
      "See the cause and the handler's own logs; the failure policy of the document that uses the handler decides the request.",
    retryable: true,
  },
  PURSER_HANDLER_TIMEOUT: {
    summary: "A handler did not answer within its deadline.",
    remedy: "Check the backend that the handler talks to, or raise the handler's timeout.",
    retryable: true,
  },
  PURSER_STORE_UNAVAILABLE: {
    summary: "The store that counts a quota cannot be reached or did not answer in time.",
    remedy: "Check the store; meanwhile each QuotaPolicy's onStoreFailure decides.",
    retryable: true,
  },
  PURSER_QUOTA_VIEW_UNSUPPORTED: {
    summary: "The store of a QuotaPolicy cannot list or reset its counts.",
    remedy:
      "Use the adapters memory-quota or redis-quota, or give the adapter a quotaView (docs/guides/quotas.md); raise and block work with every store.",
  },
  PURSER_QUOTA_ADJUSTMENTS_FULL: {
    summary: "As many raises and blocks of quotas are in force as one store keeps.",
    remedy: "End some of them; for many keys, write a policy instead.",
  },
  // The control surfaces: mixer and pilot over HTTP.
  PURSER_REQUEST_INVALID: {
    summary: "The body of an API request is not valid JSON or not of the documented form.",
    remedy: "Send the form that docs/reference/api.md describes; the message names the field.",
  },
  PURSER_REQUEST_AMBIGUOUS: {
    summary:
      "A forwarded request repeats headers or query parameters that policies read, in too many combinations to check.",
    remedy: "Send each of these fields once; or let the policies read fewer of them.",
  },
  PURSER_REQUEST_TOO_LARGE: {
    summary: "The body of an API request is larger than the limit.",
    remedy: "Send a smaller batch, or raise the limit with --max-body-bytes.",
  },
  PURSER_CONTENT_TYPE: {
    summary: "The body of an API request is not declared as JSON.",
    remedy: "Send Content-Type: application/json.",
  },
  PURSER_HOST_FORBIDDEN: {
    summary: "A control surface was asked under a host name that is not its own, as DNS rebinding does.",
    remedy: "Use its address, or start the server with --allowed-hosts and the name.",
  },
  PURSER_ORIGIN_FORBIDDEN: {
    summary: "A control surface was asked by a web page of another origin.",
    remedy: "Open the address itself in the browser, or use a client that is not a browser.",
  },
  PURSER_NOT_FOUND: {
    summary: "There is nothing at this path.",
    remedy: "See docs/reference/api.md for the paths this server answers.",
  },
  PURSER_METHOD_NOT_ALLOWED: {
    summary: "The path exists but does not take this method.",
    remedy: "Use one of the methods in the Allow header.",
  },
  PURSER_OVERLOADED: {
    summary: "The server has as many requests under way as its limit allows.",
    remedy: "Try again shortly; run more replicas, or raise the concurrency limit.",
    retryable: true,
  },
  PURSER_DRAINING: {
    summary: "The server is shutting down and takes no new work.",
    remedy: "Send the request to another replica.",
    retryable: true,
  },
  PURSER_INTERNAL: {
    summary: "The program has a defect: it reached a state that it should never reach.",
    remedy: "Please report it with the log line that has the same request id.",
  },
  // Between the proxy and the control plane.
  PURSER_MIXER_UNAVAILABLE: {
    summary: "The mixer cannot be reached, refused the call or did not answer in time.",
    remedy: "Check the mixer; meanwhile each document's failure policy decides.",
    retryable: true,
  },
  PURSER_PILOT_UNAVAILABLE: {
    summary: "Pilot cannot be reached or did not answer in time.",
    remedy: "Check pilot; the proxy goes on with the routes it has.",
    retryable: true,
  },
  // The identity service, which certifies workloads.
  PURSER_IDENTITY_UNAVAILABLE: {
    summary: "The identity service cannot be reached, refused the call or did not answer in time.",
    remedy: "Check the identity service; proxies go on with their certificates until these end.",
    retryable: true,
  },
  PURSER_IDENTITY_TOKEN: {
    summary: "A join token is malformed, unknown, used already or expired.",
    remedy: "Make a new one with purser identity token, and give it to one proxy only.",
  },
  PURSER_IDENTITY_UNAUTHENTICATED: {
    summary: "The call needs a client certificate of the identity service, or the operator's key.",
    remedy:
      "Join with a token first. Operators' commands need --key-file, the file operator.key in the folder of the identity service.",
  },
  PURSER_IDENTITY_REVOKED: {
    summary: "The workload's certificate or its identity is revoked.",
    remedy:
      "If the workload is trusted again, run purser identity restore, and let its proxies join with new tokens.",
  },
  PURSER_IDENTITY_REQUEST: {
    summary:
      "A certificate request is malformed, not signed by its own key, of an unsuitable key, or names another identity.",
    remedy:
      "Make the request with an ECDSA key on P-256, and without names other than the workload's own SPIFFE id.",
  },
  PURSER_IDENTITY_SIGNER: {
    summary: "The authority's certificate or key cannot be used.",
    remedy: "Check the files of the authority; docs/guides/operations.md says what they must hold.",
  },
  PURSER_IDENTITY_STATE: {
    summary: "The folder of the identity service cannot be read or written, or another version wrote it.",
    remedy: "Check the folder and its owner; restore identity.json from a backup when it is damaged.",
  },
  PURSER_IDENTITY_ROTATION: {
    summary: "The root cannot be rotated now.",
    remedy: "Wait until the rotation under way has ended; purser identity status shows it.",
  },
  PURSER_IDENTITY_FULL: {
    summary: "As many join tokens or revocations are in force as the identity service keeps.",
    remedy: "Wait until some have expired, or restore identities whose service accounts no longer exist.",
  },
  // Local replies: responses that the proxy generates itself.
  PURSER_PROXY_NO_ROUTE: {
    summary: "No route matches the request's host and path.",
    remedy: "Check the Host header and the VirtualService or Gateway that should match it.",
  },
  PURSER_PROXY_LOOP: {
    summary: "The request has passed this proxy before, as its Via field says, and was refused with 508.",
    remedy:
      "Follow the routes of the proxies that the Via field names: they send the request in a circle. When no route does, two proxies have the same --via: give each its own.",
  },
  PURSER_PROXY_MATCH_TOO_LONG: {
    summary:
      "Matching the routes' regular expressions took too long for this request, which was refused with 431.",
    remedy:
      "Write the patterns of the VirtualService with smaller counts and fewer loops within loops, or match with exact or prefix.",
  },
  PURSER_PROXY_NO_CLUSTER: {
    summary: "The route's destination is a service, a port or a subset that no document declares.",
    remedy:
      "Correct the name in the VirtualService, or add the Service, ServiceEntry or DestinationRule that declares it: the route works from then on. purser validate shows such names.",
    retryable: true,
  },
  PURSER_PROXY_NO_ENDPOINT: {
    summary: "The route's destination has no endpoint to send the request to, or none that is healthy.",
    remedy:
      "Check the ServiceEntry's endpoints and the DestinationRule's subset labels. GET /clusters of the proxy's admin surface says which endpoints are unhealthy, and why.",
    retryable: true,
  },
  PURSER_PROXY_UPSTREAM: {
    summary: "The upstream could not be reached, or broke the connection before it answered.",
    remedy: "Check the upstream service.",
    retryable: true,
  },
  PURSER_PROXY_UPSTREAM_TIMEOUT: {
    summary: "The upstream did not answer within the route's timeout.",
    remedy: "Check the upstream service, or raise the VirtualService's timeout.",
    retryable: true,
  },
  PURSER_PROXY_OVERFLOW: {
    summary: "The destination has as many requests under way or waiting as its limit allows.",
    remedy: "Slow down, add endpoints, or raise the limit.",
    retryable: true,
  },
  PURSER_PROXY_OVERLOADED: {
    summary:
      "The destination answers slowly, so an Overload document sheds the requests that are least important.",
    remedy:
      "Slow down, add endpoints, or give the request a more important priority in the Overload document.",
    retryable: true,
  },
  PURSER_PROXY_BAD_REQUEST: {
    summary: "The request is not valid HTTP, or ambiguous in a way that invites smuggling.",
    remedy: "Send a request that follows RFC 9110 and RFC 9112.",
  },
  PURSER_PROXY_REWRITE: {
    summary: "The route's rewrite makes a path of the request's that cannot be forwarded.",
    remedy:
      "Make the match, or the pattern of uriRegexRewrite, hold only for the paths that it is meant for (end a prefix with a slash), and the result begin with a slash and have no dot segments.",
  },
  PURSER_PROXY_FAULT_INJECTED: {
    summary: "A VirtualService's fault rule aborted the request on purpose.",
    remedy: "Remove the fault from the VirtualService when the experiment is over.",
  },
  PURSER_UNAUTHENTICATED: {
    summary: "A closed control surface was asked without a credential that it accepts.",
    remedy:
      "Send a token of the server's --control-token-file, or a client certificate of its --control-tls-ca; see docs/guides/operations.md, Closing the control surfaces.",
    // Files of tokens change on both sides, and each try presents the newest token.
    retryable: true,
  },
  PURSER_PROXY_TOKEN: {
    summary:
      "The request's token is not one that a RequestAuthentication accepts; it was refused with 401, or 403 for its audience.",
    remedy:
      "Read the reason in the reply. Send one valid token of a known issuer, in one of the places of its jwtRule, or none.",
  },
  PURSER_PROXY_TOKEN_KEYS: {
    summary: "The keys of the token's issuer have never been fetched, so the request was refused with 401.",
    remedy:
      "Check that the proxy reaches the jwksUri of the RequestAuthentication: its log says why the last fetch failed.",
    retryable: true,
  },
  // Starting the program.
  PURSER_CLI_USAGE: {
    summary: "The command line has an unknown command or flag, or an invalid value.",
    remedy: "Run the command with --help.",
  },
  PURSER_PORT_TAKEN: {
    summary: "Another program listens on a port that this one needs.",
    remedy:
      "Stop that program, or choose another port at the flag or in the document that the message names.",
  },
  PURSER_PORT_FORBIDDEN: {
    summary: "This user may not listen on that port or address.",
    remedy: "Choose a port above 1023 and an address of this machine.",
  },
  PURSER_IMPORT_UNSUPPORTED: {
    summary: "A part of an imported configuration has no counterpart in Purser's documents.",
    remedy:
      "Remove the part or replace it as the message says; docs/guides/import-ratelimit.md lists the parts that are carried over.",
  },
  PURSER_IMPORT_OUTPUT: {
    summary: "The documents of an import could not be written.",
    remedy: "Give --out a new folder, or remove the file that is in the way.",
  },
  PURSER_SUGGEST_BOUND: {
    summary: "A decision log has more requests or more keys than the search for limits keeps in memory.",
    remedy: "Narrow the log with --since, --until or --match; see docs/guides/suggest-limits.md.",
  },
  PURSER_REPLAY_LOG: {
    summary: "A decision log cannot be read, or has a malformed line and --strict was given.",
    remedy: "Check the file; docs/reference/decision-log.md describes its lines.",
  },
  PURSER_REPLAY_EMPTY: {
    summary: "The decision logs have no request to replay, or fewer than --min-requests.",
    remedy:
      "Check the paths given to --log and the times given to --since and --until; see docs/reference/decision-log.md.",
  },
  PURSER_NO_TESTS: {
    summary: "There is no policy test to run.",
    remedy:
      "Name files or folders with PolicyTest documents, or correct --filter; see docs/guides/testing-policies.md.",
  },
  PURSER_CONFIG_REJECTED: {
    summary: "The configuration has faults, and there is no earlier good one to go on with.",
    remedy: "Correct the faults listed above.",
  },
  PURSER_BAGS_INVALID: {
    summary: "A file of attribute bags could not be read, or a line of it is not a bag.",
    remedy: "Give a file with one JSON object of attributes on each line.",
  },
});

export type ErrorCode = keyof typeof ERROR_CATALOG;
