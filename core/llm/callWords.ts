/** What calls are for, in words for people. A test holds it against every purpose that the code names. */
const purposes: Record<string, string> = {
  plan: 'planning',
  repair: 'repairing plans',
  recover: 'recovery',
  choose_skills: 'choosing skills',
  talk: 'conversation',
  embed: 'embeddings',
}

/** How calls end that gave no answer, in words for people: `too many requests`. */
const ends: Record<string, string> = {
  key: 'key not accepted',
  quota: 'no quota left',
  rate: 'too many requests',
  unknown_model: 'model not known',
  request: 'request not taken',
  refused: 'declined',
  cut: 'cut off',
  server: 'trouble at the provider',
  unreachable: 'not reached',
  timeout: 'no answer in time',
  slow: 'slower than another',
  answer: 'no usable answer',
  schema: 'form not taken',
  busy: 'left to rest',
  budget: 'budget used up',
  cancelled: 'cancelled',
  lost: 'broken off',
}

export const purposeWords = (purpose: string): string => purposes[purpose] ?? purpose.replaceAll('_', ' ')
export const endWords = (outcome: string): string => ends[outcome] ?? outcome.replaceAll('_', ' ')
