/** Characters that show nothing or turn text around: a request is matched and shown without them. */
const invisible =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g

const before =
  /^(?:please|pls|plz|hey|hi|hello|ok|okay|so|well|now|just|quickly|kindly|skynet|can you|could you|would you|will you|can we|can i|could i|i want you to|i want to|i want|i would like you to|i would like to|i'd like you to|i'd like to|i'd like|i need you to|i need to|i need|go ahead and|let us|let's|lets|bitte|kannst du|könntest du|mal|por favor|puedes|podrías|quiero|s'il te plaît|s'il te plait|s'il vous plaît|s'il vous plait|tu peux|peux-tu|peux tu|pouvez-vous|kripya|zara)[\s,:;!]+/i
const after =
  /[\s,]+(?:please|pls|plz|thanks|thank you|thx|ty|for me|now|right now|again|quickly|asap|skynet|bitte|danke|por favor|gracias|merci|svp|stp|s'il te plaît|s'il te plait|jaldi)$/i
/** A full stop after a word ends a sentence; after a space, a slash or another stop it belongs to a path. */
const ending = /(?<=[\p{L}\p{N}"'`)\]])[?!.…]+$|\s+[?!]+$/u

function untilSettled(text: string, step: (text: string) => string): string {
  const next = step(text).trim()
  return next === text || next === '' ? text : untilSettled(next, step)
}

/**
 * A request as the triggers see it: one line, plain quotes, without invisible characters, politeness and the final
 * stop. Letters keep their case, since paths and messages need it. Pure.
 */
export function tidyRequest(request: string): string {
  const plain = request
    .normalize('NFC')
    .replace(invisible, '')
    .replace(/[‘’‚‛]/g, "'")
    .replace(/[“”„‟«»]/g, '"')
    .replace(/\s+/g, ' ')
    .trim()
  return untilSettled(plain, (text) => text.replace(ending, '').replace(before, '').replace(after, ''))
}
