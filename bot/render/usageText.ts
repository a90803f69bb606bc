import { endWords, purposeWords } from '../../core/llm/callWords.ts'
import type { Budgets } from '../../core/llm/model.ts'
import type { ModelUse, Totals, Usage } from '../../core/llm/readUsage.ts'
import { bold, clip, escapeHtml, plain } from './html.ts'
import { short } from './usageChart.ts'

/** Models that are named, and the characters that Telegram takes below an image. */
const SHOWN = 5
const MOST = 1024

const tokensOf = ({ tokensIn, tokensOut }: Totals): number => tokensIn + tokensOut

/** Dollars as people read them: `$0.004`, `$12.30`; with what is not known. */
function money({ usd, unpriced }: Totals): string {
  const known = usd === 0 ? '$0' : usd < 0.0005 ? '<$0.001' : `$${usd.toFixed(usd < 1 ? 3 : 2)}`
  if (unpriced === 0) return known
  return usd === 0 ? 'price not known' : `${known} and ${short(unpriced)} tokens of unknown price`
}

const line = (label: string, totals: Totals): string =>
  `${label}: ${totals.calls} calls · ${short(tokensOf(totals))} tokens · ${money(totals)}`

/** What is left of the budgets of a day. */
function budgetLines({ counted }: Usage, budgets: Budgets | undefined): string[] {
  const { dailyTokens = null, dailyUsd = null } = budgets ?? {}
  return [
    ...(dailyTokens === null
      ? []
      : [`Budget today: ${short(counted.tokens)} of ${short(dailyTokens)} tokens`]),
    ...(dailyUsd === null ? [] : [`Budget today: $${counted.usd.toFixed(2)} of $${dailyUsd.toFixed(2)}`]),
  ]
}

/** Why, the most frequent first: ` (2 too many requests, 1 no usable answer)`. */
function reasons(ends: ModelUse['ends']): string {
  const most = Object.entries(ends).sort(([, a], [, b]) => b - a)
  const said = most.slice(0, 3).map(([outcome, count]) => `${count} ${endWords(outcome)}`)
  return said.length > 0 ? ` (${said.join(', ')})` : ''
}

function modelLines({ models }: Usage, shown: number): string[] {
  const lines = models.slice(0, shown).map((one) => {
    const failed = one.calls - one.answered
    const trouble = failed > 0 ? ` · ${failed} not answered${reasons(one.ends)}` : ''
    const first =
      one.firstMs === null
        ? ''
        : ` · first word ${one.firstMs < 100 ? 'at once' : `${(one.firstMs / 1000).toFixed(1)} s`}`
    return `${escapeHtml(clip(one.model, 60))}: ${one.calls} · ${short(tokensOf(one))} · ${money(one)}${first}${trouble}`
  })
  return models.length > shown ? [...lines, `and ${models.length - shown} more`] : lines
}

/** What language models were used for and cost, in HTML of at most 1,024 characters. Pure. */
export function usageText(usage: Usage, days: number, budgets: Budgets | undefined): string {
  const all = Array.from({ length: SHOWN + 1 }, (_, i) => textOf(usage, days, budgets, SHOWN - i))
  return all.find((text) => plain(text).length <= MOST) ?? bold('Language models')
}

function textOf(usage: Usage, days: number, budgets: Budgets | undefined, shown: number): string {
  const { today, period } = usage
  const kept =
    period.tokensCached > 0 ? [`${short(period.tokensCached)} tokens were kept by the provider`] : []
  const memory = period.remembered > 0 ? [`${period.remembered} answered from memory`] : []
  const purposes = usage.purposes.filter(([, tokens]) => tokens > 0)
  return [
    bold('Language models'),
    line('Today', today),
    line(`${days} days`, period),
    ...budgetLines(usage, budgets),
    '',
    ...modelLines(usage, shown),
    ...(purposes.length > 0
      ? [
          '',
          `For ${purposes.map(([name, tokens]) => `${escapeHtml(purposeWords(name))} ${short(tokens)}`).join(', ')}`,
        ]
      : []),
    ...(kept.length + memory.length > 0 ? [[...kept, ...memory].join(' · ')] : []),
  ].join('\n')
}
