import { compilePhrases, targetIn } from './phrases.ts'
import type { Target } from './target.ts'

export type Steer = 'stop' | 'pause' | 'resume' | 'retry' | 'approve' | 'deny' | 'keep'

/**
 * How people say it. `~` is where the run may stand and may be left out; `!` is where it has to be named, because the
 * verb alone means many things. Everything else of the text has to be there: one word more, and it is a request.
 */
const said: Record<Steer, string> = {
  keep: `(?:dont|do not|never) (?:stop|cancel|pause|abort|interrupt|kill|halt) ~|keep ! (?:running|going)
    |nicht (?:stoppen|abbrechen|anhalten|aufhoren)|hor nicht auf|stopp ~ nicht|brich ~ nicht ab|halt ~ nicht an
    |no (?:pares|canceles|detengas|te detengas|lo pares|lo canceles|pauses|parar|cancelar|detener|pausar) ~|(?:ne |n)?(?:l)?(?:arrete|annule|arretez|annulez) pas ~|ne (?:larrete|tarrete) pas|narrete pas ~|ne pas (?:arreter|annuler|interrompre) ~
    |nao (?:pare|pares|cancele|pause|interrompa|parar|cancelar|interromper|pausar) ~|не (?:останавливаи|останавливаися|отменяи|прекращаи|прерываи|надо останавливать) ~`,
  stop: `(?:stop|cancel|abort|halt|terminate|stopping|cancelling) ~|(?:kill|end|quit|scrap|drop) !|quit|call ! off|make ! stop|stop (?:right )?(?:there|here)
    |(?:thats )?enough|knock it off|never ?mind|forget (?:it|that|about it)|leave it|emergency stop|cancellation
    |(?:stopp|stoppe|stoppen|abbrechen|anhalten|stornieren|storniere|beende|beenden) ~|~ (?:stoppen|abbrechen|anhalten|beenden)|brich ~ ab|halte? ~ an|hor ~ auf|aufhoren|halt|schluss(?: damit)?|abbruch|lass (?:es|das)(?: sein)?|vergiss es|genug
    |(?:para|pare|parar|deten|detener|cancela|cancele|cancelar|aborta|aborte|abortar|interrumpe|interrumpir) ~|(?:paralo|detente|detenlo|cancelalo|anulalo|abortalo|dejalo|olvidalo|alto|basta)
    |(?:arrete|arretez|arreter|stoppe|stoppez|stopper|annule|annulez|annuler|interromps|interrompre|abandonne|abandonner) ~|arrete toi|halte|ca suffit|laisse tomber
    |(?:interrompa|interrompe|interromper) ~|chega|esquece|deixa pra la|pode parar
    |(?:останови|остановить|отмени|отменить|отменяи|прекрати|прекратить|прерви|прервать|останавливаи) ~|стоп|стои|остановись|остановитесь|отмена|хватит|довольно`,
  pause: `pause ~|(?:suspend|freeze) !|put ~ on (?:hold|pause)|hold (?:on|it|off)|hang on|wait(?: up)?|take a break|not so fast
    |(?:pausiere|pausieren) ~|~ pausieren|pausier ~|mach (?:mal )?(?:eine |ne |ne kurze |eine kurze )?pause|warte(?: mal| kurz)?|moment(?: mal)?|einen moment(?: bitte)?|sekunde
    |(?:pausa|pausar|suspende|suspender) ~|pausalo|ponlo en pausa|pon ~ en pausa|haz una pausa|espera(?: un (?:momento|poco))?|esperate
    |me[td]?ts? ~ en pause|mettre ~ en pause|fais une pause|attends(?: un (?:peu|moment|instant))?|attendez|suspends ~
    |(?:pausar|pausa) ~|coloca ~ em pausa|espere(?: um (?:momento|pouco))?|espera ai|aguarde|aguarda|fa[cz]a? uma pausa
    |поставь ~ на паузу|(?:на )?пауз[ау]|(?:приостанови|приостановить) ~|подожди|подождите|погоди|постои|минутку|секунду`,
  resume: `(?:continue|resume|unpause|proceed|un pause|resuming) ~|(?:go on|carry on|proceed|continue|go ahead|move on)(?: with ~)?|keep (?:going|on|at it|working|running)|go(?: ahead)?|onward|start again where you stopped
    |weiter(?: gehts| so)?|(?:mach|lauf|arbeite|los) ~ weiter|weiter ?machen|weitermachen|fortfahren|fahr(?:e)? ~ fort|setze? ~ fort|~ fortsetzen|es kann weitergehen
    |(?:sigue|siga|continua|continuar|reanuda|reanudar|prosigue|seguir) ~|(?:sigue|vamos) adelante|adelante|reanudalo
    |(?:continuez|continuer|reprends|reprenez|reprendre|poursuis|poursuivre|poursuivez) ~|vas ?y|va ?y|allez ?y|on continue
    |(?:prossiga|prossegue|retoma|retome|retomar|segue|seguir) ~|pode (?:continuar|seguir)|(?:vai )?em frente
    |(?:продолжаи|продолжи|продолжить|продолжаите|продолжаем|возобнови|возобновить) ~|дальше|поехали(?: дальше)?`,
  retry: `(?:retry|redo|rerun|re run|repeat) ~|(?:try|run|do) ~ (?:again|once more|one more time|over)|try(?: it)? again|again|once more|one more time|another (?:try|go)|give ~ another (?:try|go|shot)|have another (?:try|go)|restart !|start ! (?:again|over)
    |noch ?mal(?: versuchen| probieren)?|noch einmal(?: versuchen| probieren)?|erneut(?: versuchen)?|(?:versuch|versuche|probier|probiere|mach|starte) ~ (?:nochmal|noch mal|noch einmal|erneut|neu)|(?:wiederhole|wiederholen) ~
    |(?:reintenta|reintentar|repite|repetir) ~|reintentalo|repitelo|vuelve a intentarlo|(?:intentalo|intenta|prueba|pruebalo|hazlo) (?:de nuevo|otra vez|nuevamente)|otra vez|de nuevo
    |(?:reessaie|reessaye|reessayer|reessayez|recommence|recommencer|relance|relancer|refais) ~|encore(?: une fois)?|(?:essaie|essaye) (?:encore|a nouveau)
    |(?:tenta|tente|tentar) ~ ?(?:de novo|novamente|outra vez)|de novo|outra vez|novamente|mais uma vez|(?:repete|repita) ~
    |(?:повтори|повторить|перезапусти|перезапустить) ~|(?:попробуи|давай|даваи) (?:еще раз|снова)|еще раз|снова|заново`,
  approve: `(?:approve|allow|confirm|i approve|genehmige|aprueba|approuve|aprova|одобри) (?<code>[a-z]\\d{1,4})|(?:approve|accept|authori[sz]e|allow|confirm|i approve|permit|grant) ~|approved|lgtm|ship it|do it|go for it|looks good(?: do it| go)?
    |(?:genehmige|erlaube|bestatige|genehmigen|erlauben|akzeptiere) ~|genehmigt|gib ~ frei|freigeben|mach (?:es|das)|ich stimme zu|einverstanden
    |(?:aprueba|aprobar|autoriza|autorizar|acepta|permite) ~|apruebalo|aprobado|hazlo|de acuerdo
    |(?:approuve|approuver|approuvez|valide|valider|autorise|accepte|japprouve) ~|fais le|daccord
    |(?:aprova|aprove|aprovar|autorize|autoriza|aceita|permita) ~|aprovado|faz isso|faca isso|de acordo
    |(?:одобри|одобряю|одобрить|подтверждаю|подтверди|разрешаю|разреши) ~|одобрено|сделаи это|согласен|согласна`,
  deny: `(?:deny|reject|refuse|decline|rechaza|refuse|rejeita|отклони) (?<code>[a-z]\\d{1,4})|(?:deny|reject|refuse|decline|disapprove|veto|disallow) ~|denied|rejected|(?:dont|do not) (?:do|run|start|allow|approve) !
    |(?:lehne|lehn) ~ ab|ablehnen|abgelehnt|(?:verweigere|verbiete) ~|~ ablehnen|nicht (?:ausfuhren|machen|genehmigen)
    |(?:rechaza|rechazar|deniega|denegar|niega) ~|rechazalo|denegado|no lo hagas
    |(?:refuse|refuser|refusez|rejette|rejeter) ~|refuse|ne le fais pas|(?:rejeita|rejeite|rejeitar|recusa|recuse|recusar|nega|negar) ~|nao faca isso
    |(?:отклони|отклонить|отклоняю|запрети|запрещаю|откажи) ~|отклонено|не делаи этого`,
}

type Phrase = { what: Steer; pattern: RegExp }
const order: Steer[] = ['keep', 'deny', 'stop', 'pause', 'retry', 'approve', 'resume']
const phrases: Phrase[] = order.flatMap((what) =>
  compilePhrases(said[what]).map((pattern) => ({ what, pattern })),
)

export type Steering = { what: Steer; target: Target; code: string | null }

/** What a text without politeness tells the bot to do with a run; null when it says anything else. Pure. */
export function readSteering(words: string): Steering | null {
  for (const { what, pattern } of phrases) {
    const groups = pattern.exec(words)?.groups
    if (!groups) continue
    const target = targetIn(groups)
    if (target) return { what, target, code: groups.code?.toUpperCase() ?? null }
  }
  return null
}
