/** Which run is meant, as far as the words say. `place`: names of a machine or directory. `all`: not one, every one. */
export type Target = { number: number | null; step: string | null; place: string[]; all: boolean }

export const noTarget: Target = { number: null, step: null, place: [], all: false }

const nouns =
  'runs?|jobs?|tasks?|work|process|plans?|execution|ones?|things?|operations?|requests?|steps?' +
  '|lauf|laufe|auftrag|auftrage|prozess|aufgaben?|arbeit|ausfuhrung|vorgang|sache|ganze' +
  '|tareas?|trabajos?|proceso|ejecucion|taches?|travail|processus|execution|tarefas?|trabalhos?|processo|execucao' +
  '|задач[уаи]?|работ[уа]|процесс|выполнение|запуск|план'
const pointers =
  'the|this|that|these|those|my|your|our|its|current|running|present|last|latest|newest|whole|entire|all|all of|both' +
  '|den|die|das|der|dem|diesen|diese|dieses|meinen|meine|laufenden?|letzten?|aktuellen?|alle' +
  '|el|la|los|las|lo|esta|este|ese|esa|mi|todas|todos|le|les|cette|ce|ma|mon|toutes|tous|o|a|os|as|esse|essa|isso|minha|meu' +
  '|эту|этот|это|мою|мои|все|текущую|текущии|последнюю|последнии'
const pronouns =
  'it|that|this|them|these|those|everything|all|all of (?:it|that|this|them)|it all|both|what(?:ever)? you(?:re| are) doing|doing (?:it|that|this)|working|running|processing' +
  '|es|das|dies|alles|ihn|sie|damit|davon|das alles' +
  '|lo|la|eso|esto|todo|todo eso|lo que (?:haces|estas haciendo)|ca|cela|le|tout|tout ca|isso|isto|tudo|tudo isso|o|a' +
  '|это|его|ее|их|все|все это|всё'

const noun = `(?:(?:${pointers}) )*(?:${nouns})`
const number = '(?:(?:number|no|nr|nummer|numero|номер) )?#?(?<n>\\d{1,9})(?:\\.(?<s1>\\d{1,3}))?'
const step = '(?:step|task|schritt|paso|etape|passo|шаг) (?<s2>\\d{1,3})'
/** One word as machine and directory are named. */
const name = '[\\p{L}\\p{N}][\\p{L}\\p{N}._-]{0,63}'
const at = '(?:on|in|at|auf|im|beim|en|sur|dans|em|no|na|на|в)'
const place = `${at} (?:(?:my|the|the machine|machine|der|dem|la|el|le|o|a) )?(?<p1>${name})(?::(?<p2>${name}))?(?: ${at} (?<p3>${name}))?`
const of = '(?:of|in|from|von|vom|de|del|du|da|do|из)'

/** The source of an expression for whatever a run can be called by, and nothing else. Its groups: `readTarget`. */
const what = `${step}(?: ${of} (?:(?:the )?(?:run|lauf) )?#(?<n2>\\d{1,9}))?|(?:(?:${noun}|${pronouns}) )?${number}|${noun}|${pronouns}`
/** Before the run itself: `of #12`, `with it`, `mit dem lauf`. */
const about = '(?:of|in|with|for|from|to|by|on|about|von|vom|mit|bei|de|del|du|con|avec|com|c|с|из) '
const closed = new RegExp(`^(?:(?:${about})?(?<what>${what}))?(?: ?(?<where>${place}))?$`, 'u')
const everything =
  /^(?:everything|all|all of .*|it all|both|(?:the |my )?(?:runs|jobs|tasks)|all .*|alles|alle .*|das alles|todo|todo eso|todas .*|todos .*|tout|tout ca|tou(?:s|tes) .*|tudo|tudo isso|все|все .*)$/
const nobody =
  /^(?:\d+|a|an|the|few|some|least|hour|minute|moment|once|work|home|time|general|total|it|that|this)$/

/**
 * What the words after a verb mean, or null when they say more than which run: `the web server` is no run of ours.
 * A place is only words here: whether there is one is for the ledger to say. Pure.
 */
export function readTarget(words: string): Target | null {
  const text = words.trim()
  if (text === '') return noTarget
  const found = closed.exec(text)
  const groups = found?.groups
  if (!groups) return null
  const names = [groups.p1, groups.p2, groups.p3].flatMap((one) => one ?? [])
  if (names.some((one) => nobody.test(one))) return null
  const given = groups.n ?? groups.n2
  return {
    number: given === undefined ? null : Number(given),
    step: groups.s1 ?? groups.s2 ?? null,
    place: names,
    all: everything.test(groups.what ?? ''),
  }
}
