/** Figures of quality as tables show them. */
import type { Figure, Part, QualityLine } from '../quality/figures.ts'

/** `0.97 [0.95, 0.99]`; what was not measured is a dash. */
export function asShare(figure: Figure | undefined): string {
  if (figure === undefined) return '-'
  const [low, high] = figure.interval.map((end) => end.toFixed(2))
  return `${figure.mean.toFixed(2)} [${low}, ${high}]`
}

/** The lines of a part by method or control; the last one of a method counts. */
export function linesOf(quality: readonly QualityLine[], part: Part): ReadonlyMap<string, QualityLine> {
  return new Map(quality.filter((line) => line.part === part).map((line) => [line.method, line]))
}
