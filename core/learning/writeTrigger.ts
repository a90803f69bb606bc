import { isFiller } from '../planning/compileTrigger.ts'
import { saysNothing } from '../planning/words.ts'
import type { Token, Value } from './findValues.ts'

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')

/** What a group of an expression takes for a parameter. */
const groupFor = ({ name, parameter }: Value): string => {
  if (parameter.type === 'int') return `(?<${name}>\\d{1,9})`
  if (parameter.type === 'text') return `(?<${name}>\\S.*?)`
  return `(?<${name}>"[^"]+"|'[^']+'|\`[^\`]+\`|[^\\s"'\`,;]+)`
}

type Step = { value: Value } | { token: Token }

function stepsOf(tokens: readonly Token[], values: readonly Value[]): Step[] {
  return tokens.flatMap((token, i): Step[] => {
    const value = values.find(({ first, last }) => i >= first && i <= last)
    if (value) return value.first === i ? [{ value }] : []
    return [{ token }]
  })
}

const whole = ({ before, text, after, quoted }: Token): string =>
  quoted ? `"${text}"` : before + text + after

/** Whether a trigger would mean too much: nothing of it says what is wanted. */
export const saysTooLittle = (tokens: readonly Token[], values: readonly Value[]): boolean =>
  !stepsOf(tokens, values).some(
    (step) =>
      'token' in step && /\p{L}{2}/u.test(step.token.text) && !saysNothing(step.token.text.toLowerCase()),
  )

/**
 * The trigger that understands a request and others like it: a phrase, or an expression where signs stand beside a value or
 * a word has brackets. Pure.
 */
export function writeTrigger(tokens: readonly Token[], values: readonly Value[]): string {
  const steps = stepsOf(tokens, values)
  const plain = steps.every((step) =>
    'token' in step
      ? !step.token.quoted && !/[()[\]{}|]|^\//.test(whole(step.token))
      : step.value.parameter.type === 'text' ||
        (tokens[step.value.first]?.before ?? '') + (tokens[step.value.last]?.after ?? '') === '',
  )
  if (plain)
    return steps
      .flatMap((step) =>
        'value' in step ? [`{${step.value.name}}`] : isFiller(step.token.text) ? [] : [whole(step.token)],
      )
      .join(' ')
  const parts = steps.map((step) => {
    if ('token' in step)
      return step.token.quoted
        ? `["'\`]${escapeRegExp(step.token.text)}["'\`]`
        : escapeRegExp(whole(step.token))
    const { first, last, parameter } = step.value
    if (parameter.type === 'text') return groupFor(step.value)
    return (
      escapeRegExp(tokens[first]?.before ?? '') +
      groupFor(step.value) +
      escapeRegExp(tokens[last]?.after ?? '')
    )
  })
  return `/${parts.join('\\s+')}/`
}
