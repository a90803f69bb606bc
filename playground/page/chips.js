import { byId, el } from './dom.js'

const usual = [
  'What changed?',
  'Run the tests',
  'Start the 30 s job',
  '/run rm notes.txt',
  '/run rm -rf /',
  'Machines',
]

/**
 * Shows suggestions under the input. What fits the last outcome comes first: the bot's own reply
 * keyboard when it sent one, or `Plan a fix` after a failure. `send(text)` sends, `tap(message, text)`
 * presses a button of a message that has it.
 */
export function showChips(messages, { send, tap }) {
  const fitting = [...replyKeyboard(messages), ...afterOutcome(messages)]
  const chips = [...fitting, ...usual.filter((text) => !fitting.includes(text))]
  const make = (text) => {
    const source = buttonSource(messages, text)
    const look = fitting.includes(text) ? 'chip fitting' : 'chip'
    return el(
      'button',
      { type: 'button', class: look, onclick: () => (source ? tap(source, text) : send(text)) },
      text,
    )
  }
  const root = byId('chips')
  const shown = [...chips, fitting.length].join('\n')
  if (root.dataset.shown === shown) return
  root.dataset.shown = shown
  root.replaceChildren(...chips.map(make))
  root.scrollLeft = 0
}

/** A bot that sends a reply keyboard offers its buttons here, until it removes it. */
function replyKeyboard(messages) {
  const last = messages.findLast(({ reply_markup: markup }) => markup?.keyboard || markup?.remove_keyboard)
  const rows = last?.reply_markup.keyboard ?? []
  return rows.flat().map((button) => (typeof button === 'string' ? button : button.text))
}

function afterOutcome(messages) {
  const last = messages.findLast((message) => /^\p{Emoji}️? #\d+ |^❓ /u.test(message.text ?? ''))
  if (/^❌ #\d+ failed/u.test(last?.text ?? ''))
    return buttonSource(messages, 'Plan a fix') ? ['Plan a fix'] : []
  return /^✅ #\d+ succeeded/u.test(last?.text ?? '') ? ['What changed?'] : []
}

/** The failure's own button for this chip, when it has one. */
function buttonSource(messages, text) {
  const last = messages.findLast((message) => /^❌ #\d+ failed/u.test(message.text ?? ''))
  const keys = last?.reply_markup?.inline_keyboard?.flat() ?? []
  return text === 'Plan a fix' && keys.some((key) => key.text === text) ? last : null
}
