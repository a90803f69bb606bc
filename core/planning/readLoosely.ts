import type { Parameter, Playbook } from './playbook.ts'
import { readParameter } from './readParameters.ts'
import { type Word, wordsOf } from './words.ts'

const quotes = /"([^"]+)"|'([^']+)'|`([^`]+)`/
/** What comes after these is the text of a note, a message or a file. */
const beforeText =
  /(?::|\b(?:with (?:the )?(?:message|text|content)|message|saying|says|titled|called|containing|with|that))\s+(\S.*)$/i
const fileName = /(?:^|\s)(\S*[^\s./]\.[A-Za-z][A-Za-z0-9]{0,7})(?=\s|$)/
const afterIn = /\b(?:in|under|inside|within|below)\s+(?:(?:the|my|our|this)\s+)?([^\s"'`]+)/i
const number = /(?:^|\s)(\d{1,9})(?=\s|$)/

/** Where the place is what is meant otherwise, a path is what stands after "in"; else it is the name of a file. */
const loosePath = (parameter: Parameter, request: string): string | undefined =>
  (parameter.default === undefined ? fileName.exec(request) : afterIn.exec(request))?.[1]

/** The request from the first to the last of some of its words, when no other words are among them. */
function stretch(request: string, left: readonly Word[], max: number): string | undefined {
  const [first, last] = [left[0]?.text, left.at(-1)?.text]
  if (!first || !last) return undefined
  const text = request.slice(request.indexOf(first), request.lastIndexOf(last) + last.length)
  return wordsOf(text).length === left.length && text.split(/\s+/).length <= max ? text : undefined
}

function looseText(parameter: Parameter, request: string, left: readonly Word[]): string | undefined {
  const inQuotes = quotes.exec(request)?.slice(1).find(Boolean)
  switch (parameter.type) {
    case 'int':
      return number.exec(request)?.[1]
    case 'enum':
      return parameter.values.find((value) =>
        left.some((word) => word.text.toLowerCase() === value.toLowerCase()),
      )
    case 'path':
      return loosePath(parameter, request)
    case 'text':
      return inQuotes ?? beforeText.exec(request)?.[1]
    case 'string': {
      const path = afterIn.exec(request)?.[1]
      const words = left.filter((word) => !word.weak && word.text !== path)
      return inQuotes ?? stretch(request, words, parameter.max_words)
    }
  }
}

/**
 * What of a request that no trigger fits can be read as the parameters of a playbook; `left` are its words that the
 * playbook does not know. Pure.
 */
export function readLoosely(playbook: Playbook, request: string, left: readonly Word[]): Map<string, string> {
  return new Map(
    Object.entries(playbook.parameters).flatMap(([name, parameter]) => {
      const text = looseText(parameter, request, left)
      return text && readParameter(text, parameter) !== null ? [[name, text] as const] : []
    }),
  )
}
