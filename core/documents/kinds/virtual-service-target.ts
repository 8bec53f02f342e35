// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import { Closed } from "./fields.ts";
import { Host, PortNumber } from "./traffic-fields.ts";

/** The service, subset and port that a route leads to. */
export const Target = Closed({
  host: Host("A ServiceEntry's host or short name."),
  subset: Type.Optional(Type.String({ minLength: 1, description: "A subset of its DestinationRule." })),
  port: Type.Optional(
    Closed(
      { number: PortNumber("One of the service's ports.") },
      { description: "Default: the only port, else the port that was called, else the first." },
    ),
  ),
});
