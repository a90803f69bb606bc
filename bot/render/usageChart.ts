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

const WIDTH = 720
const HEIGHT = 360
const LEFT = 78
const RIGHT = 16
const TOP = 52
const BOTTOM = 34

const colourOf = (provider: string): Colour => colours[provider] ?? OTHER
const totalOf = ({ providers }: DayUse): number => Object.values(providers).reduce((sum, n) => sum + n, 0)

/** `1.2M`, `35K`, `800`. Pure. */
export const short = (tokens: number): string =>
  tokens >= 1e6
    ? `${(tokens / 1e6).toFixed(tokens >= 1e7 ? 0 : 1)}M`
    : tokens >= 1e3
      ? `${(tokens / 1e3).toFixed(tokens >= 1e4 ? 0 : 1)}K`
      : String(Math.round(tokens))

/** The least of 1, 2, 5, 10, 20, ... that is not below. Pure. */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)))
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? 10 * power
}

/** Tokens of each day as bars, stacked by provider, as a PNG. Pure. */
export function drawUsage({ days }: UsageChart): Buffer {
  const picture = new Picture(WIDTH, HEIGHT, palette)
  const most = roundUp(Math.max(1, ...days.map(totalOf)))
  drawLegend(picture, days)
  drawGrid(picture, most)
  const slot = (WIDTH - LEFT - RIGHT) / Math.max(1, days.length)
  for (const [i, day] of days.entries()) {
    drawBar(picture, day, LEFT + i * slot + slot * 0.15, slot * 0.7, most)
    const every = Math.ceil((textWidth('00-00', 2) + 10) / slot)
    if ((days.length - 1 - i) % every === 0) drawDay(picture, day.day, LEFT + (i + 0.5) * slot)
  }
  return picture.encode()
}

function drawLegend(picture: Picture, days: readonly DayUse[]): void {
  write(picture, 'TOKENS PER DAY', LEFT, 12, 2, INK)
  const providers = [...new Set(days.flatMap(({ providers }) => Object.keys(providers)))].sort()
  let x = LEFT
  for (const provider of providers) {
    picture.fill(x, 30, 10, 10, colourOf(provider))
    write(picture, provider, x + 15, 30, 2, INK)
    x += textWidth(provider, 2) + 32
  }
}

function drawGrid(picture: Picture, most: number): void {
  for (const share of [0, 0.5, 1]) {
    const y = yOf(share)
    picture.fill(LEFT, y, WIDTH - LEFT - RIGHT, 1, FAINT)
    const label = short(most * share)
    write(picture, label, LEFT - 10 - textWidth(label, 3), y - 7, 3, INK)
  }
}

function drawBar(picture: Picture, { providers }: DayUse, x: number, width: number, most: number): void {
  let bottom = yOf(0)
  for (const [provider, tokens] of Object.entries(providers).sort(([a], [b]) => (a < b ? -1 : 1))) {
    // What was used at all is seen.
    const height = Math.max(1, yOf(0) - yOf(tokens / most))
    bottom -= height
    picture.fill(x, bottom, width, height, colourOf(provider))
  }
}

const yOf = (share: number): number => Math.round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM))

function drawDay(picture: Picture, day: string, middle: number): void {
  const label = day.slice(5)
  write(picture, label, middle - textWidth(label, 2) / 2, HEIGHT - BOTTOM + 10, 2, INK)
}
