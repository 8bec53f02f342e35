// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { MAX_MAGLEV_TABLE_SIZE } from "../../traffic/balancing/picker-maglev.ts";
import { MAX_RING_SIZE } from "../../traffic/balancing/picker-ring-hash.ts";
import { LOCALITY_WILDCARD_PATTERN, MAX_LOCALITY_LENGTH } from "../../traffic/locality.ts";
import { FORM_KEYWORD } from "../schema/form.ts";
import { Closed, Duration } from "./fields.ts";
import { MapOf } from "./map-of.ts";

/** The field loadBalancer of a DestinationRule; load-balancer-faults.ts has the checks beyond the schema. */

const SIMPLE = ["LEAST_REQUEST", "LEAST_CONN", "ROUND_ROBIN", "RANDOM"] as const;

/** The characters of a token (RFC 9110, section 5.6.2). */
const TOKEN_PATTERN = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";

/** The characters of a cookie's attribute value (RFC 6265, section 4.1.1). */
const COOKIE_ATTRIBUTE_PATTERN = "^[ -:<-~]*$";

function Token(description: string, what: string) {
  const form = `${what}: letters, digits and !#$%&'*+-.^_\`|~`;
  return Type.String({ pattern: TOKEN_PATTERN, maxLength: 256, description, [FORM_KEYWORD]: form });
}

function RingSize(description: string) {
  return Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_RING_SIZE, description }));
}

const HttpCookie = Closed(
  {
    name: Token("The cookie's name.", "a cookie name"),
    path: Type.Optional(
      Type.String({
        pattern: "^/[ -:<-~]*$",
        maxLength: 1024,
        description: "Path of the cookie that the proxy generates; default no Path.",
        [FORM_KEYWORD]: "a path that begins with / and has no semicolon",
      }),
    ),
    ttl: Type.Optional(
      Duration(
        "Lifetime of the cookie that the proxy generates for a request without it, rounded up to seconds; 0s for a session cookie. " +
          "Default: no cookie is generated.",
      ),
    ),
    attributes: Type.Optional(
      Type.Array(
        Closed({
          name: Token("The attribute's name, such as SameSite.", "an attribute name"),
          value: Type.Optional(
            Type.String({
              pattern: COOKIE_ATTRIBUTE_PATTERN,
              maxLength: 256,
              description: "The attribute's value; default none.",
              [FORM_KEYWORD]: "text without a semicolon",
            }),
          ),
        }),
        { maxItems: 16, description: "Further attributes of the cookie that the proxy generates." },
      ),
    ),
  },
  { description: "Hash a cookie; the proxy generates it if ttl is present and the cookie is absent." },
);

/** The values of a request that can be hashed. */
export const HASH_SOURCE_FIELDS = {
  httpHeaderName: Type.Optional(Token("Hash a header; repeated fields count as one value.", "a header name")),
  httpCookie: Type.Optional(HttpCookie),
  useSourceIp: Type.Optional(
    Type.Boolean({ description: "Hash the client's address, behind trusted proxies the client's own." }),
  ),
  httpQueryParameterName: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1024,
      description: "Hash a query parameter's first value, decoded.",
    }),
  ),
};

const ConsistentHash = Closed(
  {
    ...HASH_SOURCE_FIELDS,
    ringHash: Type.Optional(
      Closed({ minimumRingSize: RingSize("Minimum number of points on the ring; default 1024.") }),
    ),
    maglev: Type.Optional(
      Closed({
        tableSize: Type.Optional(
          Type.Integer({
            minimum: 2,
            maximum: MAX_MAGLEV_TABLE_SIZE,
            description: "Number of table entries, a prime; default 65537.",
          }),
        ),
      }),
    ),
    minimumRingSize: RingSize("The old name of ringHash.minimumRingSize."),
  },
  { description: "Requests with an equal value go to the same endpoint, by ring hash or Maglev." },
);

function Locality(description: string) {
  return Type.String({
    pattern: LOCALITY_WILDCARD_PATTERN,
    maxLength: MAX_LOCALITY_LENGTH,
    description,
    [FORM_KEYWORD]: "a locality such as region/zone/subzone, region/zone/*, region/* or *",
  });
}

function Region(description: string) {
  return Type.String({
    pattern: "^[A-Za-z0-9_.-]+$",
    maxLength: 63,
    description,
    [FORM_KEYWORD]: "a region, without a zone and without *",
  });
}

const LocalityLbSetting = Closed(
  {
    enabled: Type.Optional(
      Type.Boolean({ description: "Whether the endpoints' localities matter; default true." }),
    ),
    distribute: Type.Optional(
      Type.Array(
        Closed({
          from: Locality("The proxies' locality."),
          to: MapOf(Type.Integer({ minimum: 1, maximum: 100 }), {
            minProperties: 1,
            description:
              "Percent of requests by the endpoints' locality; the sum is 100. Other localities get none.",
          }),
        }),
        { minItems: 1, description: "Shares of localities." },
      ),
    ),
    failover: Type.Optional(
      Type.Array(
        Closed({ from: Region("The proxies' region."), to: Region("The region that comes next.") }),
        { minItems: 1, description: "The next region when too few endpoints of a region are healthy." },
      ),
    ),
    failoverPriority: Type.Optional(
      Type.Array(
        Type.String({
          minLength: 1,
          maxLength: 380,
          description: "A topology label, compared with the proxy's, or label=value.",
        }),
        { minItems: 1, maxItems: 16, description: "Labels that order endpoints: all match first." },
      ),
    ),
  },
  {
    description:
      "Prefer endpoints near the proxy, or share requests among localities. Default: localities do not matter.",
  },
);

const Warmup = Closed(
  {
    duration: Duration("Time in which a new endpoint's weight grows to its own."),
    minimumPercent: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 100,
        description: "Minimum weight, in percent of the endpoint's own; default 10.",
      }),
    ),
    aggression: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 100,
        description: "1 (default) for linear growth; higher values grow faster at the beginning.",
      }),
    ),
  },
  { description: "Slow start of new endpoints, for LEAST_REQUEST and ROUND_ROBIN; default none." },
);

export function LoadBalancer() {
  return Closed(
    {
      simple: Type.Optional(
        Type.Unsafe<(typeof SIMPLE)[number]>({
          type: "string",
          enum: [...SIMPLE],
          description: "The load-balancing policy; default LEAST_REQUEST. LEAST_CONN is its old name.",
          [FORM_KEYWORD]:
            "LEAST_REQUEST, ROUND_ROBIN or RANDOM; in place of PASSTHROUGH, list the addresses under endpoints of the ServiceEntry",
        }),
      ),
      consistentHash: Type.Optional(ConsistentHash),
      localityLbSetting: Type.Optional(LocalityLbSetting),
      warmup: Type.Optional(Warmup),
      warmupDurationSecs: Type.Optional(Duration("The old form of warmup.duration.")),
    },
    { description: "How requests choose an endpoint.", minProperties: 1 },
  );
}

export type LoadBalancerSpec = Static<ReturnType<typeof LoadBalancer>>;
export type LocalityLbSettingSpec = Static<typeof LocalityLbSetting>;
