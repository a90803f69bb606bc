import type { DayUse } from '../../core/llm/readUsage.ts'
import { textWidth, write } from './pixelText.ts'
import { type Colour, Picture } from './png.ts'

/** What the chart shows: a bar for each day, a colour for each provider. */
export type UsageChart = { days: DayUse[] }

const PAPER: Colour = '#ffffff'
const INK: Colour = '#3b4252'
const FAINT: Colour = '#d8dee9'
/** Told apart by people who see few colours, too: their brightness differs. */
const colours: Record<string, Colour> = {
  gemini: '#1f6feb',
  groq: '#e8590c',
  openrouter: '#7048e8',
  deepseek: '#0b7285',
  openai: '#2b8a3e',
  claude: '#d9a066',
  ollama: '#868e96',
}
const OTHER: Colour = '#495057'
const palette: Colour[] = [PAPER, INK, FAINT, OTHER, ...Object.values(colours)]

/** A phone shows the picture about half as wide: 360 points. */
const WIDTH = 720
const HEIGHT = 540
/** Points of a letter's dot; five dots high, that is 12 on the phone. */
const SIZE = 5
const LETTER = 5 * SIZE
const LINE = LETTER + 13
const LEFT = 112
const RIGHT = 20
const TOP = 18
const BOTTOM = LETTER + 28
const SWATCH = LETTER
/** Between a colour and its name, and between two names. */
const [NEAR, APART] = [10, 28]

const colourOf = (provider: string): Colour => colours[provider] ?? OTHER
const totalOf = ({ providers }: DayUse): number => Object.values(providers).reduce((sum, n) => sum + n, 0)

/** `1.2M`, `35K`, `800`. Pure. */
export const short = (tokens: number): string =>
  tokens >= 1e9
    ? `${(tokens / 1e9).toFixed(tokens >= 1e10 ? 0 : 1)}G`
    : tokens >= 1e6
      ? `${(tokens / 1e6).toFixed(tokens >= 1e7 ? 0 : 1)}M`
      : tokens >= 1e3
        ? `${(tokens / 1e3).toFixed(tokens >= 1e4 ? 0 : 1)}K`
        : String(Math.round(tokens))

/** The least of 1, 2, 5, 10, 20, ... that is not below. Pure. */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)))
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? 10 * power
}

type Plot = { picture: Picture; most: number; top: number }

/** Tokens of each day as bars, stacked by provider, as a PNG that can be read on a phone. Pure. */
export function drawUsage({ days }: UsageChart): Buffer {
  const picture = new Picture(WIDTH, HEIGHT, palette)
  const most = roundUp(Math.max(1, ...days.map(totalOf)))
  const plot: Plot = { picture, most, top: drawLegend(picture, days) + LINE }
  drawGrid(plot)
  const slot = (WIDTH - LEFT - RIGHT) / Math.max(1, days.length)
  const every = Math.ceil((textWidth('00-00', SIZE) + 4 * SIZE) / slot)
  for (const [i, day] of days.entries()) {
    drawBar(plot, day, LEFT + i * slot + slot * 0.15, slot * 0.7)
    if ((days.length - 1 - i) % every === 0) drawDay(picture, day.day, LEFT + (i + 0.5) * slot)
  }
  return picture.encode()
}

/** The title and the providers with their colours, in as many lines as they take. Returns where it ends. */
function drawLegend(picture: Picture, days: readonly DayUse[]): number {
  write(picture, 'TOKENS PER DAY', RIGHT, TOP, SIZE, INK)
  const providers = [...new Set(days.flatMap(({ providers }) => Object.keys(providers)))].sort()
  let [x, y] = [RIGHT, TOP + LINE]
  for (const provider of providers) {
    const width = SWATCH + NEAR + textWidth(provider, SIZE)
    if (x > RIGHT && x + width > WIDTH - RIGHT) [x, y] = [RIGHT, y + LINE]
    picture.fill(x, y, SWATCH, SWATCH, colourOf(provider))
    write(picture, provider, x + SWATCH + NEAR, y, SIZE, INK)
    x += width + APART
  }
  return providers.length > 0 ? y + LETTER : TOP + LETTER
}

function drawGrid(plot: Plot): void {
  for (const share of [0, 0.5, 1]) {
    const y = yOf(plot, share)
    plot.picture.fill(LEFT, y, WIDTH - LEFT - RIGHT, 2, FAINT)
    const label = short(plot.most * share)
    write(plot.picture, label, LEFT - 14 - textWidth(label, SIZE), y - LETTER / 2, SIZE, INK)
  }
}

function drawBar(plot: Plot, { providers }: DayUse, x: number, width: number): void {
  let bottom = yOf(plot, 0)
  for (const [provider, tokens] of Object.entries(providers).sort(([a], [b]) => (a < b ? -1 : 1))) {
    // What was used at all is seen.
    const height = Math.max(2, yOf(plot, 0) - yOf(plot, tokens / plot.most))
    bottom -= height
    plot.picture.fill(x, bottom, width, height, colourOf(provider))
  }
}

const yOf = ({ top }: Plot, share: number): number =>
  Math.round(HEIGHT - BOTTOM - share * (HEIGHT - top - BOTTOM))

/** The day below its bar; at the edge moved in, so that all of it is seen. */
function drawDay(picture: Picture, day: string, middle: number): void {
  const label = day.slice(5)
  const width = textWidth(label, SIZE)
  write(picture, label, Math.min(middle - width / 2, WIDTH - width - 4), HEIGHT - BOTTOM + 14, SIZE, INK)
}
