// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A sample's value in the text formats. */
export function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

/**
 * A bound (`le`, `quantile`) as OpenMetrics' canonical numbers (section 6.3.3) and as Prometheus writes those of the protobuf
 * format: `1.0`, `0.25`, `1e+06`. Every format uses it, because a bound is a label: a bound written in two ways makes two series.
 */
export function boundText(bound: number): string {
  if (!Number.isFinite(bound)) return numberText(bound);
  const [digits = "", power = ""] = bound.toExponential().split("e");
  // As Go's strconv.FormatFloat(bound, 'g', -1, 64): an exponent below -4, and from 6 on.
  const size = Math.abs(Number(power));
  if (Number(power) < -4 || Number(power) >= 6)
    return `${digits}e${power.startsWith("-") ? "-" : "+"}${size < 10 ? "0" : ""}${size}`;
  const text = String(bound);
  return text.includes(".") ? text : `${text}.0`;
}
