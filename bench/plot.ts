/** A line plot as SVG: sizes on a logarithmic axis, seconds on a linear one, a range at each point. Pure. */

export interface Point {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

export interface Series {
  readonly name: string;
  readonly colour: string;
  readonly dashed?: boolean;
  readonly points: readonly Point[];
}

export interface Plot {
  readonly title: string;
  readonly yLabel: string;
  readonly ticks: readonly { readonly x: number; readonly label: string }[];
  readonly series: readonly Series[];
}

const WIDTH = 820;
const HEIGHT = 440;
const AREA = { left: 64, right: 560, top: 48, bottom: 388 } as const;

export function plotSvg({ title, yLabel, ticks, series }: Plot): string {
  const xs = ticks.map((tick) => Math.log10(tick.x));
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  const step = niceStep(Math.max(...series.flatMap((one) => one.points.map((point) => point.high)), 0));
  const top = step.count * step.size;
  const px = (x: number): number => round(last === first ? (AREA.left + AREA.right) / 2 : AREA.left + 24 + ((Math.log10(x) - first) / (last - first)) * (AREA.right - AREA.left - 48));
  const py = (y: number): number => round(AREA.bottom - (y / top) * (AREA.bottom - AREA.top));
  const grid = Array.from({ length: step.count + 1 }, (_, index) => index * step.size).map((value) => `
  <line x1="${AREA.left}" x2="${AREA.right}" y1="${py(value)}" y2="${py(value)}" stroke="#8884" />
  <text x="${AREA.left - 8}" y="${py(value) + 4}" text-anchor="end">${String(Number(value.toPrecision(6)))}</text>`);
  const labels = ticks.map(({ x, label }) => `
  <text x="${px(x)}" y="${AREA.bottom + 22}" text-anchor="middle">${escape(label)}</text>`);
  const lines = series.map((one) => drawn(one, px, py));
  const legend = series.map(({ name, colour, dashed }, index) => `
  <line x1="${AREA.right + 20}" x2="${AREA.right + 48}" y1="${AREA.top + 10 + index * 24}" y2="${AREA.top + 10 + index * 24}" stroke="${colour}" stroke-width="2.5"${dash(dashed)} />
  <text x="${AREA.right + 56}" y="${AREA.top + 14 + index * 24}">${escape(name)}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(title)}" font-family="system-ui, sans-serif" font-size="13" fill="#222">
  <rect width="${WIDTH}" height="${HEIGHT}" fill="#fff" />
  <text x="${AREA.left}" y="26" font-size="16" font-weight="600">${escape(title)}</text>
  <text x="18" y="${(AREA.top + AREA.bottom) / 2}" text-anchor="middle" transform="rotate(-90 18 ${(AREA.top + AREA.bottom) / 2})">${escape(yLabel)}</text>${[...grid, ...labels, ...lines, ...legend].join('')}
</svg>
`;
}

function drawn({ colour, dashed, points }: Series, px: (x: number) => number, py: (y: number) => number): string {
  const sorted = [...points].sort((a, b) => a.x - b.x);
  const path = sorted.map((point, index) => `${index === 0 ? 'M' : 'L'}${px(point.x)} ${py(point.y)}`).join(' ');
  const marks = sorted.map(({ x, y, low, high }) => `
  <line x1="${px(x)}" x2="${px(x)}" y1="${py(low)}" y2="${py(high)}" stroke="${colour}" stroke-width="1.5" />
  <circle cx="${px(x)}" cy="${py(y)}" r="3.5" fill="${colour}" />`);
  return `
  <path d="${path}" fill="none" stroke="${colour}" stroke-width="2.5"${dash(dashed)} />${marks.join('')}`;
}

function dash(dashed: boolean | undefined): string {
  return dashed === true ? ' stroke-dasharray="7 5"' : '';
}

/** Four to eight lines of 1, 2 or 5 times a power of ten, the highest at or above the highest value. */
function niceStep(highest: number): { size: number; count: number } {
  const rough = (highest > 0 ? highest : 1) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const size = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  return { size, count: Math.max(1, Math.ceil((highest > 0 ? highest : 1) / size)) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${String(character.charCodeAt(0))};`);
}
