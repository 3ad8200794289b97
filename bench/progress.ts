/** A progress bar for long scripts: redrawn on a terminal, a line each tenth elsewhere. */
import type { WriteStream } from 'node:tty'

const WIDTH = 30

export class Progress {
  private done = 0
  private shownTenth = 0
  private readonly start = performance.now()

  constructor(
    private readonly title: string,
    private readonly total: number,
    private readonly stream: Pick<WriteStream, 'write'> & { isTTY?: boolean },
  ) {}

  advance(count: number): void {
    this.done += count
    const fraction = Math.min(1, this.done / this.total)
    if (this.stream.isTTY === true) {
      const filled = Math.round(WIDTH * fraction)
      this.stream.write(
        `\r${this.title} [${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${this.summary(fraction)} `,
      )
    } else if (Math.floor(fraction * 10) > this.shownTenth) {
      this.shownTenth = Math.floor(fraction * 10)
      this.stream.write(`${this.title}: ${this.summary(fraction)}\n`)
    }
  }

  end(): void {
    if (this.stream.isTTY === true) this.stream.write('\n')
  }

  private summary(fraction: number): string {
    const elapsed = (performance.now() - this.start) / 1000
    const left = Math.round((elapsed / fraction) * (1 - fraction))
    return `${Math.floor(fraction * 100)} %, ${this.done} of ${this.total}, ${left} s left`
  }
}
