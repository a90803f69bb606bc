export const complexities = ['simple', 'medium', 'complex'] as const
export type Complexity = (typeof complexities)[number]
/** `confidence`: 0.5 (it could as well be the next class) to 1. */
export type Classified = { complexity: Complexity; confidence: number }

/** Stems of words that ask for a look, for making something, and for much of it; in the languages of the playbooks. */
const looks =
  /^(?:show|list|what|which|where|when|who|how|is|are|does|did|status|check|count|print|read|tail|find|search|look|see|tell|display|version|uptime|disk|free|ping|zeige?|liste?|was|welche|wo|wie|affiche|liste[rz]?|quel|muestra|lista|qué|que|cu[aá]l|dikhao|kya)$/
const makes =
  /^(?:implement|refactor|migrat|upgrad|rewrit|deploy|releas|configur|integrat|convert|port|design|creat|add|build|fix|debug|repair|optimi[sz]|replac|renam|split|extract|introduc|generat|writ|test|document|containeri[sz]|set|mov|remov|clean|install|updat|chang|bump|commit|push|erstell|baue?|behebe?|ersetze?|aktualisier|corrig|ajout|cr[eé]e|arregl|agreg|crea)/
const broad =
  /^(?:all|every|each|across|whole|entire|everything|project|codebase|everywhere|alle|jede|tous|toutes|todo|todos)$/
const joins =
  /^(?:then|and|after|afterwards|next|finally|also|plus|before|dann|und|danach|puis|ensuite|et|luego|y|phir|aur)$/

/** Between which scores the classes lie. */
const MEDIUM = 0.6
const COMPLEX = 3

/** More of a kind adds less and less, so that no single trait of a long text decides alone. */
const upTo = (count: number, most: number): number => most * (1 - Math.exp(-count / most))

/** How much a request asks for: by its verbs, its steps, its breadth and its length. Higher is more. */
function score(request: string): number {
  const words = request.toLowerCase().match(/[\p{L}\p{N}_'-]+/gu) ?? []
  const count = (pattern: RegExp) => words.filter((word) => pattern.test(word)).length
  const items = request.match(/(?:^|\n)\s*(?:[-*•]|\d+[.)])\s+|[;,]\s/g)?.length ?? 0
  const made = new Set(words.flatMap((word) => makes.exec(word)?.[0] ?? [])).size
  return (
    -0.9 +
    1.4 * upTo(made, 3) +
    0.7 * upTo(count(joins) + items, 5) +
    0.6 * upTo(count(broad), 2) +
    0.05 * Math.min(80, Math.max(0, words.length - 8)) -
    (looks.test(words[0] ?? '') ? 0.9 : 0)
  )
}

/** How complex a request is, and how sure that is. A guess by its words alone: what it cost corrects it. Pure. */
export function classify(request: string): Classified {
  const value = score(request)
  const complexity = value < MEDIUM ? 'simple' : value < COMPLEX ? 'medium' : 'complex'
  const distance = Math.min(Math.abs(value - MEDIUM), Math.abs(value - COMPLEX))
  return { complexity, confidence: Math.round(100 / (1 + Math.exp(-1.8 * distance))) / 100 }
}
