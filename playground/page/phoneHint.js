import { byId, el, icon } from './dom.js'

/** The outcome of a run that succeeded; not the card above it that points to it. */
export const isSuccess = (message) =>
  /^✅ #\d+ succeeded/u.test(message.text ?? '') && !/^.*outcome below/u.test(message.text)

/** After the first success, once: how to have this chat on a phone. */
export function offerPhone(message) {
  if (localStorage.getItem('phone-hint') === 'seen' || byId('phone-hint') || !isSuccess(message)) return
  byId('messages').append(card())
}

function card() {
  const close = el(
    'button',
    { type: 'button', class: 'icon small', 'aria-label': 'Dismiss', onclick: dismiss },
    icon('close'),
  )
  const link = el(
    'a',
    { href: 'https://t.me/BotFather', target: '_blank', rel: 'noopener noreferrer' },
    '@BotFather',
  )
  const steps = el(
    'ol',
    {},
    el('li', {}, 'In Telegram open ', link, ', send ', el('code', {}, '/newbot'), ' and pick a name.'),
    el(
      'li',
      {},
      'Put the token it gives you into ',
      el('code', {}, '.env'),
      ' as ',
      el('code', {}, 'TELEGRAM_BOT_TOKEN'),
      '.',
    ),
    el('li', {}, 'Restart SKYNET and send your bot the pairing code that the terminal prints.'),
  )
  const code = el('img', {
    src: '/qr.svg',
    alt: 'QR code of t.me/BotFather',
    width: '96',
    height: '96',
  })
  const head = el('header', {}, icon('phone'), el('h2', {}, 'On your phone'), close)
  return el(
    'section',
    { id: 'phone-hint', 'aria-label': 'On your phone' },
    head,
    el('div', { class: 'hint-body' }, steps, code),
  )
}

function dismiss() {
  localStorage.setItem('phone-hint', 'seen')
  byId('phone-hint').remove()
}
