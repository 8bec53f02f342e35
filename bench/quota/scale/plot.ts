// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A line of a plot; both coordinates are above 0. */
export interface Series {
  readonly name: string;
  readonly color: string;
  readonly dashed?: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface PlotText {
  readonly title: string;
  readonly x: string;
  readonly y: string;
}

/** Sizes in pixels. */
const [WIDTH, HEIGHT] = [720, 420];
const MARGIN = { left: 80, right: 24, top: 44, bottom: 56 };
const LEGEND = { x: WIDTH - 230, y: MARGIN.top + 16, line: 18 };

/** A plot with logarithmic axes, as SVG 1.1. Points with a coordinate of 0 or below are left out. */
export function plotOf(text: PlotText, series: readonly Series[]): string {
  const shown = series.map((one) => ({ ...one, points: one.points.filter(([x, y]) => x > 0 && y > 0) }));
  const points = shown.flatMap(({ points: own }) => own);
  const xAxis = axisOf(
    points.map(([x]) => x),
    MARGIN.left,
    WIDTH - MARGIN.right,
  );
  const yAxis = axisOf(
    points.map(([, y]) => y),
    HEIGHT - MARGIN.bottom,
    MARGIN.top,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    label(WIDTH / 2, 24, text.title, 'text-anchor="middle" font-size="15"'),
    ...xAxis.ticks.map(({ at, name }) =>
      gridLine(at, MARGIN.top, at, HEIGHT - MARGIN.bottom, at, HEIGHT - MARGIN.bottom + 18, name, "middle"),
    ),
    ...yAxis.ticks.map(({ at, name }) =>
      gridLine(MARGIN.left, at, WIDTH - MARGIN.right, at, MARGIN.left - 8, at + 4, name, "end"),
    ),
    label((MARGIN.left + WIDTH - MARGIN.right) / 2, HEIGHT - 14, text.x, 'text-anchor="middle"'),
    label(
      0,
      0,
      text.y,
      `text-anchor="middle" transform="translate(18 ${(MARGIN.top + HEIGHT - MARGIN.bottom) / 2}) rotate(-90)"`,
    ),
    ...shown.flatMap((one, index) => drawn(one, xAxis.place, yAxis.place, LEGEND.y + index * LEGEND.line)),
    "</svg>",
    "",
  ].join("\n");
}

interface Axis {
  /** The pixel of a value. */
  readonly place: (value: number) => number;
  /** One for each power of ten. */
  readonly ticks: readonly { readonly at: number; readonly name: string }[];
}

function axisOf(values: readonly number[], fromPx: number, toPx: number): Axis {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const place = (value: number): number =>
    round(fromPx + ((Math.log10(value) - low) / (high - low)) * (toPx - fromPx));
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => {
    const value = 10 ** (low + index);
    return { at: place(value), name: value.toLocaleString("en-US", { maximumFractionDigits: 9 }) };
  });
  return { place, ticks };
}

function drawn(
  { name, color, dashed, points }: Series,
  xOf: Axis["place"],
  yOf: Axis["place"],
  legendY: number,
): readonly string[] {
  const stroke = `fill="none" stroke="${color}" stroke-width="2"${dashed === true ? ' stroke-dasharray="6 4"' : ""}`;
  const path = points.map(([x, y]) => `${xOf(x)},${yOf(y)}`).join(" ");
  const [only] = points;
  return [
    points.length === 1 && only !== undefined
      ? `<circle cx="${xOf(only[0])}" cy="${yOf(only[1])}" r="5" ${stroke}/>`
      : `<polyline points="${path}" ${stroke}/>`,
    `<polyline points="${LEGEND.x},${legendY - 4} ${LEGEND.x + 28},${legendY - 4}" ${stroke}/>`,
    label(LEGEND.x + 36, legendY, name, ""),
  ];
}

function gridLine(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  labelX: number,
  labelY: number,
  name: string,
  anchor: "middle" | "end",
): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#dddddd"/>${label(labelX, labelY, name, `text-anchor="${anchor}"`)}`;
}

function label(x: number, y: number, text: string, attributes: string): string {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escaped}</text>`;
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}
