/** Words around a word to the bot that change nothing of it, as people write them first and last; by language. */
const first = [
  'please|pls|plz|plss|hey|hi|hello|yo|ok|okay|so|well|now|just|quickly|kindly|skynet|bot|yes|yeah|yep|no|nope|oh|ah|um|uh|sorry|alright|right|actually|immediately|and|then|but|also|again|wait|oh no',
  'can (?:you|u|we|i)|could (?:you|u|we|i)|would (?:you|u)|will (?:you|u)|you (?:can|may|should|could|must)|would you mind|i want you to|i want to|id like you to|id like to|i need you to|i would like you to|lets|let us|do',
  'bitte|hallo|hey|ok|ja|nein|also|jetzt|sofort|mal|kannst du(?: mir)?|konntest du|konnen sie|konnten sie|wurdest du|du kannst|ich mochte dass du|und|aber|dann',
  'por favor|oye|hola|ya|ahora|puedes|podrias|puede|podria|quiero que|si|no|y|pero|entonces|vale',
  'sil te plait|sil vous plait|svp|stp|bonjour|salut|tu peux|peux tu|pourrais tu|pouvez vous|vous pouvez|maintenant|oui|non|et|mais|alors|bon',
  'por gentileza|ola|pode|poderia|voce pode|agora|sim|nao|e|mas|entao|quero que',
  'пожалуиста|плиз|эи|привет|ну|так|ты можешь|можешь|можете|можно|сеичас|да|нет|и|а|но|тогда|даваи|ладно|срочно',
]
const last = [
  'please|pls|plz|plss|thanks|thank you|thx|ty|now|right now|right away|immediately|at once|asap|for now|for me|skynet|bot|then|already|ok|okay|will you|would you|can you|man|dude|mate|today|quickly|yet|there|here|again please|at the moment|currently|so far|by now',
  'for a (?:moment|minute|second|sec|while|bit)|(?:a|one) (?:moment|minute|second|sec)|for (?:\\d+|a few|some|two|five|ten) (?:seconds|minutes|hours|min|mins|hrs?)',
  'bitte|danke|jetzt|sofort|mal|kurz|mal kurz|erstmal|dann|gerade|noch|schon|doch|endlich|eben',
  'por favor|gracias|ya|ahora|ahora mismo|un momento|por ahora',
  'sil te plait|sil vous plait|svp|stp|merci|maintenant|tout de suite|un moment|un instant|alors|la|deja',
  'por favor|por gentileza|obrigado|obrigada|agora|ja|agora mesmo|um momento|um pouco|por enquanto',
  'пожалуиста|плиз|спасибо|сеичас|немедленно|быстро|срочно|уже|же|пока|там|еще',
]
const leading = new RegExp(`^(?:${first.join('|')})(?= )`)
const trailing = new RegExp(`(?<= )(?:${last.join('|')})$`)

/** Politeness in the middle: `kannst du das bitte stoppen`. */
const between = / (?:please|pls|bitte|por favor|svp|sil te plait|sil vous plait|пожалуиста)(?= )/g

/** Every way to read the words without some of the politeness around them, the fullest first. Pure. */
export function withoutPoliteness(words: string): string[] {
  const readings = [words.replace(between, '')]
  for (let at = 0; at < readings.length && readings.length < 40; at++) {
    const text = readings[at] ?? ''
    for (const shorter of [text.replace(trailing, '').trim(), text.replace(leading, '').trim()])
      if (shorter !== '' && !readings.includes(shorter)) readings.push(shorter)
  }
  return readings
}
