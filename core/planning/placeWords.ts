/** What people call the place they are at, in the languages of the built-in playbooks. */
const nouns =
  'repo|repository|project|folder|directory|dir|place|workspace|codebase|code base|checkout|ordner|verzeichnis|projekt|dossier|projet|dépôt|carpeta|proyecto|repositorio'
const kinds = '(?:whole|entire|complete|current|present|git|same)'
const here = 'here|hier|ici|aqu[ií]|yahan'
const pointers = 'the|this|that|my|our|your|its|current|whole|entire|dieses|diesem|dieser|este|esta|ce|cette'

/** A phrase for the place itself, once little words before it are gone, as the source of an expression. */
export const placePhrase = `(?:${kinds}\\s+)*(?:${nouns})(?:\\s+(?:folder|directory|root|here))?|${here}`

const wholePhrase = new RegExp(`^(?:(?:${pointers})\\s+)*(?:${placePhrase})$`, 'i')

/** Whether a person's word for a path means the place itself: `repo`, `this folder`, `here`. In quotes it is a name. */
export const meansPlace = (text: string): boolean => wholePhrase.test(text.trim())

const at = '(?:in|inside|within|of|for|from|at|under)'
const ending = new RegExp(
  `\\s+(?:${at}\\s+(?:(?:${pointers})\\s+)*(?:${placePhrase})|(?:${at}\\s+)?(?:${here}))$`,
  'i',
)

/** A request without a final "in this repository" or "here", which every playbook means anyway. Pure. */
export const withoutPlace = (request: string): string => request.replace(ending, '')
