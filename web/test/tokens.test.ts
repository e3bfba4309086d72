// Reads the colours from the style sheet: contrast on both themes, and hues that the colour-blind can tell apart.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

type Rgb = [number, number, number];
const css = readFileSync(new URL("../src/styles/tokens.css", import.meta.url), "utf8");

function tokens(selector: string): Record<string, string> {
  const start = css.indexOf(`${selector} {`);
  const body = css.slice(css.indexOf("{", start) + 1, css.indexOf("}", start));
  return Object.fromEntries([...body.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, name, value]) => [name, value]));
}

const rgb = (hex: string): Rgb => [1, 3, 5].map((n) => Number.parseInt(hex.slice(n, n + 2), 16) / 255) as Rgb;
const linear = (colour: Rgb): Rgb => colour.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as Rgb;
const luminance = (hex: string) => linear(rgb(hex)).reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n]!, 0);

/** WCAG 2.2, 1.4.3. */
function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** Machado, Oliveira, Fernandes 2009, severity 1. */
const SIGHT: Record<string, Rgb[]> = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
};

function oklab(hex: string, sight: Rgb[]): Rgb {
  const c = linear(rgb(hex));
  const [r, g, b] = sight.map((row) => Math.max(0, row.reduce((sum, weight, n) => sum + weight * c[n]!, 0))) as Rgb;
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

const difference = (a: string, b: string, sight: Rgb[]) => {
  const [x, y] = [oklab(a, sight), oklab(b, sight)];
  return Math.hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]);
};

const THEMES = ["light", "dark"] as const;
const PAIRS = ["green-red", "red-green", "blue-orange"] as const;
const TEXT = ["text", "text-soft", "text-faint", "accent", "warning"];
const GROUNDS = ["paper", "raised", "sunken"];

describe.each(THEMES)("the %s theme", (theme) => {
  const colours = tokens(`:root[data-theme="${theme}"]`);
  const hues = Array.from({ length: 12 }, (_, n) => colours[`hue-${n}`]!);

  it("has text of at least 4.5:1 on every ground", () => {
    for (const text of TEXT)
      for (const ground of GROUNDS)
        expect(contrast(colours[text]!, colours[ground]!), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    expect(contrast(colours["warning"]!, colours["warning-ground"]!)).toBeGreaterThanOrEqual(4.5);
  });

  it.each(PAIRS)("has profit and loss of at least 4.5:1 in %s", (pair) => {
    const chosen = tokens(`:root[data-theme="${theme}"][data-pnl="${pair}"]`);
    for (const ground of GROUNDS) {
      expect(contrast(chosen["gain"]!, colours[ground]!)).toBeGreaterThanOrEqual(4.5);
      expect(contrast(chosen["loss"]!, colours[ground]!)).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("has lines and control borders of at least 3:1", () => {
    for (const line of [...hues, colours["hue-benchmark"]!, colours["control"]!])
      expect(contrast(line, colours["paper"]!), line).toBeGreaterThanOrEqual(3);
  });

  it.each(Object.keys(SIGHT))("has hues that differ for %s sight, the dashed ones among themselves", (name) => {
    for (const group of [hues.slice(0, 8), hues.slice(8)])
      group.forEach((a, n) =>
        group.slice(n + 1).forEach((b) => expect(difference(a, b, SIGHT[name]!), `${a} ${b}`).toBeGreaterThan(0.05)),
      );
  });
});

it("every competitor hue has its rule", () => {
  for (let n = 0; n < 12; n += 1) expect(css).toContain(`[data-hue="${n}"] { --hue: var(--hue-${n}); }`);
});
