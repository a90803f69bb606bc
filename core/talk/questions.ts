import { compilePhrases, targetIn } from './phrases.ts'
import type { Target } from './target.ts'

export type Topic =
  | 'progress'
  | 'doing'
  | 'result'
  | 'failed'
  | 'why'
  | 'plan'
  | 'eta'
  | 'changed'
  | 'approver'
  | 'asker'
  | 'next'
  | 'waiting'
  | 'where'
  | 'output'
  | 'cost'

/**
 * How people ask about work, by topic: English, German, Spanish, French, Portuguese, Russian. `~` is where the run may
 * stand and may be left out; `!` where it has to be named. The whole text has to be understood. Before accents and
 * apostrophes were taken out it was `what's`, `où`, `ещё`.
 */
const asked: Record<Topic, string[]> = {
  failed: [
    'what (?:failed|broke|went wrong|has failed|crashed|didnt work|did not work|isnt working|is not working|is broken|is wrong|was wrong) ~|whats (?:wrong|broken|failing|failed) ~(?: with !)?|what (?:is|was) wrong with !',
    'what (?:is|was|were|are) the (?:errors?|problems?|issues?|failures?|faults?) ~|whats the (?:error|problem|issue) ~|(?:any|were there any|are there any) (?:errors?|failures?|problems?) ~|did (?:anything|something|any of it|a step) (?:fail|break|go wrong) ~|(?:has|did) ! (?:fail|failed|crash|break)|which (?:step|part|tests?|one) (?:failed|broke|has failed|did not work|didnt work) ~|where did ! (?:fail|break)|errors?|the error',
    'was (?:ist )?(?:schief(?:gegangen|gelaufen)?|fehlgeschlagen|kaputt|gescheitert)(?: gegangen| gelaufen)? ~|was ging schief ~|was (?:ist|war) (?:der|das) (?:fehler|problem) ~|(?:gab|gibt) es (?:einen )?fehler ~|welcher schritt ist (?:fehlgeschlagen|gescheitert)|wo hat es gehakt|was hat nicht (?:geklappt|funktioniert)',
    'que (?:fallo|ha fallado|salio mal|ha salido mal|esta mal|se rompio) ~|(?:cual (?:es|fue) el|hay|hubo) (?:algun )?(?:error|errores|problema|problemas) ~|que paso mal|que paso fallo',
    'quest ce qui (?:a echoue|a rate|ne va pas|cloche|a plante|sest mal passe)|quest ?ce qui (?:a echoue|a rate|ne va pas|a plante)|quelle (?:est|etait) l ?erreur ~|quelle est lerreur ~|quel est le probleme ~|quoi a echoue|y a t il (?:des|une) erreurs?',
    'o que (?:falhou|deu errado|quebrou|correu mal|esta errado) ~|(?:qual (?:e|foi) o|houve|ha) (?:algum )?(?:erro|erros|problema) ~',
    'что (?:сломалось|упало|не так|не получилось|не сработало|пошло не так|случилось) ~|какая ошибка ~|в чем (?:ошибка|проблема) ~|(?:есть|были) ошибки|где ошибка',
  ],
  plan: [
    'why (?:this|that|the|such a) plan|what (?:is|was) (?:the|your) plan(?: for !)?|whats (?:the|your) plan(?: for !)?|what (?:will|would) (?:you|it|!) do|what (?:are|is) (?:you|it|!) (?:going|planning|about) to do|who (?:made|wrote) (?:the|this|that) plan|where does (?:the|this|that) plan come from|(?:show|tell) me the plan ~|was hast du vor|was ist der plan|warum dieser plan|cual es el plan|quel est le plan|qual e o plano|какои план',
  ],
  why: [
    'why|why (?:so|though|not|is that|that)|how come|whats the reason|what is the reason|reason|for what reason',
    'why (?:did|has|have|does) ! (?:not )?(?:fail|failed|stop|stopped|break|crash|end|ended|ask|asked|wait|pause|paused|work|finish|start|started|run|take so long)|why didnt ! (?:work|finish|run|start)|why (?:has|did|does|doesnt|hasnt) ! (?:not )?(?:worked|finished|started|work|finish|start|run|yet)|why (?:is|was|are|isnt) ! (?:not )?(?:failed|failing|waiting|stuck|paused|denied|refused|cancelled|canceled|running|starting|started|done|finished|slow|so slow|stopped|blocked|held|asking|taking so long|taking that long|taking long|on hold)',
    'why (?:do|did|are) you (?:ask|asking|need|want|wait|waiting|stop|stopped|pause|refuse|refused)(?: me)?(?: (?:my |for |an |for my |for an )*(?:approval|permission|ok))?|why does ! need (?:my |an )?(?:approval|permission)|why do i (?:have to|need to|must) approve ~|why is (?:my |an )?approval needed ~|why (?:the |this |that )?(?:risk|approval|question)',
    'warum|wieso|weshalb|warum nicht|wieso nicht|(?:warum|wieso) (?:ist|hat|war) (?:es|das|der lauf) (?:nicht )?(?:fehlgeschlagen|gescheitert|schiefgegangen|geklappt|funktioniert|gestoppt|abgebrochen|pausiert|fertig)|(?:warum|wieso) (?:wartet|dauert|hangt|lauft) (?:es|das) (?:so lange|nicht)?|warum fragst du',
    'por que|por que (?:no|fallo|ha fallado|fallo eso|se paro|se detuvo|espera|tarda tanto|pides permiso)|pourquoi|pourquoi (?:pas|ca a echoue|a t il echoue|cela a echoue|ca ne marche pas|ca attend|cest si long)|por que (?:falhou|parou|nao|nao funcionou|demora tanto|esta parado)|porque',
    'почему|зачем|отчего|почему (?:нет|не работает|упало|сломалось|не получилось|остановилось|так долго|ждет|стоит)',
  ],
  eta: [
    'how long|how long (?:yet|still|more|now|left|to go|to wait|is left|is it|remaining)|how (?:much )?long(?:er)? (?:will|does|is|would|do) !(?: (?:take|last|be|need|run))?|how much longer ~|how long until .{0,20}(?:done|finished|ready)|how long until !|how long (?:will|does|do) (?:it|this|that|you) (?:take|last|need|still need|still take|run)|how long till .{0,20}(?:done|finished)',
    'how much (?:time|longer)(?: is)?(?: left| remains)? ~|when (?:will|is|are|does|do|would) ! (?:be )?(?:done|finished|ready|over|complete|finish|end|through)|when done|eta|(?:whats|what is) the eta ~|time (?:left|remaining)|(?:almost|nearly) (?:done|there|finished|ready)|are we there|(?:is|are) ! (?:almost|nearly|close to) (?:done|there|finished|ready|being done)|will it take long|does it take long',
    'wie lange(?: noch)?(?: dauert (?:es|das)(?: noch)?| brauchst du(?: noch)?)?|wie lang(?: noch)?|wann (?:ist|bist|wird) (?:es|das|du|er)(?: \\p{L}+)? ?(?:fertig|durch|so weit)|wann fertig|dauert (?:es|das) noch lange|bald fertig|bist du bald fertig|wie viel zeit noch',
    'cuanto (?:falta|tiempo|queda|tarda|demora)(?: falta| queda| mas)?|cuando (?:termina|acaba|estara listo|esta listo|terminas|acabara)|combien de temps(?: encore| il reste| reste t il)?|ca (?:dure|prend) (?:encore )?(?:longtemps|combien de temps)|cest bientot (?:fini|pret)|bientot fini|quand (?:est ce fini|ca finit|sera ce fini|cest fini|est ce que cest fini)|il reste combien(?: de temps)?',
    'quanto (?:tempo|falta)(?: falta| resta| ainda| mais)?|falta muito|quando (?:termina|acaba|fica pronto|estara pronto)|vai demorar(?: muito)?|сколько (?:еще|осталось|времени(?: осталось)?|ждать)(?: ждать| осталось)?|когда (?:закончится|закончишь|будет готово|готово)|долго(?: еще)?|скоро',
  ],
  changed: [
    'what (?:did|has|have|does) ! (?:change|changed|touch|touched|modify|modified|write|written|create|created|delete|deleted|edit|edited)|what (?:was|has been|got|is) (?:changed|touched|modified|written) (?:by|in) !|what changed (?:in|by|with|because of) !|which (?:files|things) (?:did|has|have) ! (?:change|changed|touch|touched|modify|modified|write|written|create|created)|did ! (?:change|touch|modify|write|break|delete) (?:anything|something|any files?|files)|has ! changed anything|any (?:files )?changed by !',
    'was (?:hat|wurde) (?:es|das|er|dadurch|dabei) (?:ge|ver)andert|was hast du (?:ge|ver)andert|welche dateien hat (?:es|das) (?:ge|ver)andert|hat es etwas (?:ge|ver)andert',
    'que (?:ha cambiado|cambio|has cambiado|cambiaste|modifico) (?:eso|esto|el trabajo|la tarea)|que (?:has cambiado|cambiaste|modificaste)|quest ce que (?:ca a|tu as) (?:change|modifie)|quas tu (?:change|modifie)|qua t il (?:change|modifie)|quels fichiers (?:as tu|a t il|ont ete) (?:change|modifie)s?|o que (?:mudou nisso|voce mudou|isso mudou|foi mudado|ele mudou|alterou|voce alterou)|что (?:ты |он |оно )?(?:изменил|изменила|изменило|поменял|поменяло|менял)(?:ось)?|какие фаилы (?:изменились|изменены|ты изменил)',
  ],
  approver: [
    'who (?:has |had )?(?:approved|allowed|okayed|confirmed|authori[sz]ed|permitted|accepted|denied|rejected|refused|decided) ~|who (?:gave|has given|granted) (?:the |you )?(?:approval|permission|ok|go ahead)(?: (?:for|to) !)?|(?:approved|allowed|denied) by whom|who said (?:yes|no|ok)(?: to !)?|(?:was|is|has) ! (?:been )?(?:approved|allowed|denied|authori[sz]ed)(?: by (?:someone|anyone|whom))?|whose approval(?: was it)?|who can approve ~|who must approve ~|who may approve ~',
    'wer hat (?:es|das|den plan|dies|dem)? ?(?:genehmigt|erlaubt|freigegeben|zugestimmt|abgelehnt|bestatigt)|ist (?:es|das) genehmigt|wurde (?:es|das) genehmigt|quien (?:lo |la |ha |lo ha )?(?:aprobo|aprobado|autorizo|autorizado|permitio|rechazo)(?: eso| esto)?|qui (?:a|la|l a|a t) ?(?:approuve|autorise|valide|accepte|refuse)(?: ca| cela)?|quem (?:aprovou|autorizou|permitiu|negou|rejeitou)(?: isso| isto)?|кто (?:это )?(?:одобрил|разрешил|подтвердил|отклонил)(?: это)?',
  ],
  asker: [
    'who (?:started|asked for|requested|launched|ran|began|initiated|cancelled|canceled|stopped|paused|is running) ~|whose (?:run|job|task) is (?:it|this|that)|wer hat (?:es|das) (?:gestartet|gestoppt|abgebrochen|angefordert)|quien (?:lo )?(?:inicio|empezo|pidio|cancelo|paro)(?: eso| esto)?|qui (?:a|la) (?:lance|demarre|demande|annule|arrete)(?: ca| cela)?|quem (?:iniciou|comecou|pediu|cancelou|parou)(?: isso| isto)?|кто (?:это )?(?:запустил|начал|попросил|отменил|остановил)(?: это)?',
  ],
  next: [
    '(?:what|whats) (?:is )?next ~|what (?:comes|happens|follows|will happen) (?:next|then|after(?:wards| that)?)|what now|(?:the )?next steps?|then what|and (?:then|now)|what (?:will|are|do) you (?:do|doing|going to do) (?:next|then|after that)|what should (?:i|we) do(?: next)?|what (?:is|are) (?:left|remaining|to come|the next steps?) ~|whats left ~|what remains ~|what do i (?:do|have to do)(?: next)?|what is still to do|what else',
    'was (?:kommt|passiert|ist) (?:als )?(?:nachstes|danach|dann|jetzt)|(?:und )?was (?:nun|jetzt|dann)|wie geht es weiter|wie gehts weiter|was steht noch an|was fehlt noch|que sigue|que viene(?: despues)?|y (?:ahora|luego|despues)(?: que)?|que hago|cual es el siguiente paso|et (?:maintenant|apres|ensuite)|et apres quoi|quest ce qui (?:vient|suit)(?: ensuite| apres)?|la suite|que reste t il|e agora|e depois|o que vem (?:depois|a seguir)|qual e o proximo passo|что дальше|что потом|и что дальше|что теперь|что осталось',
  ],
  waiting: [
    'what (?:is|are|does) ! (?:wait|waiting) (?:for|on)|what do you wait for|(?:is|are) ! (?:stuck|hanging|frozen|blocked|waiting|hung|idle|dead)|whats (?:blocking|holding|stopping) !(?: up| back)?|what (?:is )?(?:blocks|blocking|holds|holding) !(?: up)?|what do you need ~|what do you need from me|do you need (?:me|anything|something|my approval|an answer)(?: from me)?|does (?:anything|something|!) need (?:me|my approval|approval|an answer|attention)|whats pending|what is pending|anything (?:pending|to approve|waiting)|any approvals|(?:what|anything) (?:waits|is waiting)(?: for me)?|pending approvals?|open approvals?|approvals|waiting for (?:me|what)',
    'worauf wartest du|worauf wartet (?:es|er|das)|wartest du auf (?:mich|etwas)|hangt (?:es|das)|brauchst du (?:mich|etwas|was)|was brauchst du|que (?:esperas|espera|estas esperando)|a que (?:esperas|espera)|necesitas algo|esta (?:atascado|bloqueado|colgado)|quest ce que tu attends|tu attends quoi|quattends tu|que faut il|cest bloque|o que (?:voce )?(?:espera|esta esperando|falta)|esta (?:travado|parado|preso)|precisa de (?:mim|algo)|чего (?:ты )?(?:ждешь|ждет|ждем)|зависло|что нужно|нужно что то',
  ],
  result: [
    '(?:is|are|was|were) ! (?:done|finished|ready|over|complete|completed|through|successful|ok|okay|fine|a success|green|good)|done|finished|ready|all (?:done|good|green)|did ! (?:work|succeed|finish|pass|complete|end)(?: out)?|did ! run|did ! go (?:well|through|ok|okay|fine)|(?:has|have) ! (?:finished|ended|worked|succeeded|completed|passed)|how did (?:it|that|this|!) (?:go|end|turn out)|(?:what|whats) (?:is |was |were )?the (?:results?|outcome|verdict) ~|results? ~|outcome ~|how was it|what came out(?: of !)?|what happened(?: (?:to|with) !)?|success',
    '(?:ist|bist|sind) (?:es|das|du|alles|sie) (?:fertig|durch|erledigt)|fertig|hat es (?:geklappt|funktioniert)|hats geklappt|was (?:ist|war) (?:das|dein) ergebnis|ergebnis|wie ist es (?:gelaufen|ausgegangen)|was ist passiert|termino|ya termino|esta (?:listo|terminado|acabado|hecho|pronto|feito)|(?:ya )?acabo|funciono|cual (?:es|fue) el resultado|resultado|que paso|cest (?:fini|termine|pret|fait|bon)|(?:ca a|est ce que ca a) (?:marche|fonctionne|reussi)|cest fait|quel est le resultat|terminou|acabou|deu certo|ja (?:terminou|acabou)|funcionou|qual (?:e|foi) o resultado|готово|закончил|закончилось|все готово|получилось|какои результат|результат|что случилось|что произошло',
  ],
  doing: [
    'what (?:is|are|r) (?:!|you|u) (?:doing|up to|working on|running|executing|busy with|at|on)|what(?:s|re) (?:!|you) (?:doing|up to|working on|running)|what do you do|what (?:does|is) ! do|(?:which|what) (?:step|task|part|command)(?: (?:is|are) (?:!|you))?(?: (?:on|at|in|running|doing|it|now|working on))?|what (?:step|command) is running|what (?:runs|is active)|wyd|whatcha doing',
    'was (?:machst|tust|treibst) du|was (?:macht|tut) (?:es|er|das)|woran arbeitest du|bei welchem schritt(?: bist du)?|welcher schritt|que (?:haces|estas haciendo|hace|esta haciendo)|en que (?:paso|trabajas|estas)|que fais tu|tu fais quoi|quest ce que (?:tu fais|ca fait)|que fait il|a quelle etape(?: es tu)?|o que (?:voce )?(?:esta fazendo|faz|ta fazendo)|em que passo|что (?:ты )?(?:делаешь|делает|сеичас делаешь)|на каком (?:шаге|этапе)|чем (?:ты )?занят',
  ],
  where: [
    'where (?:is|does|did|was|are) (?:!|you) (?:run|running|working|executed)|where is it|(?:on |in )?(?:which|what) (?:machine|computer|server|directory|folder|place|host)(?: (?:is|was|does|did) !(?: (?:on|in|running|run|running on|run on|working in))?)?|where|wo (?:lauft|ist) (?:es|das)|auf welche[mr] (?:rechner|maschine)|donde (?:corre|esta|se ejecuta)|ou (?:ca tourne|est ce que ca tourne)|onde (?:esta rodando|roda|esta)|где (?:это )?(?:работает|запущено|выполняется)',
  ],
  output: [
    'what (?:did|does|has) ! (?:say|print|printed|output|return|returned|tell|write to the log)|what was (?:the|its) output ~|(?:whats|what is) (?:the|its) output ~|(?:show|send|give)(?: me)? (?:its|the last|the latest) (?:output|lines?|log)|the last lines?|last (?:lines?|output)|was hat es (?:gesagt|ausgegeben)|que (?:dijo|dice|imprimio)|quest ce que ca (?:dit|affiche)|o que (?:disse|imprimiu)|что (?:оно )?(?:вывело|написало|сказало)',
  ],
  cost: [
    'how (?:much|expensive) (?:did|does|was|is|has) !(?: (?:cost|costed|so far))?|(?:what|how much) (?:did|does|has) ! cost|(?:the )?costs? ~|how many tokens ~|how many tokens did ! (?:use|cost|take)|was (?:kostet|hat) (?:es|das)(?: gekostet)?|cuanto (?:cuesta|costo)|combien ca (?:coute|a coute)|quanto (?:custa|custou)|сколько (?:это )?(?:стоит|стоило)',
  ],
  progress: [
    'how far|how far along(?: is !)?|how far (?:is|are|along|along is|has|have|did) (?:!|you|u|we)(?: (?:got|gone|come|along|gotten))?|how far along|how (?:is|are|does|do) (?:!|things) (?:going|coming along|coming|progressing|getting on|looking|doing|look|go)|hows (?:!|things)(?: (?:going|coming along|doing|looking|progressing))?|how goes !?|how is (?:it|that|the (?:run|job|work))|hows it',
    '(?:any |the |whats the |what is the |current |give me (?:a |the )?|a )?(?:status update|progress report|status report|progress|status|state)(?: (?:of|on|for) !)?|any (?:news|updates?|progress)(?: (?:on|of) !)?|(?:whats|what is|what was) (?:going on|happening|running|up with !|the status of !)|anything (?:happening|running|new)|what is (?:going on|happening) with !',
    '(?:is|are) (?:!|you|u) (?:still )?(?:there|working|running|alive|on it|going|busy|at it)|still (?:running|going|working|alive|there|at it|busy)|where are (?:you|we)|(?:is|are) (?:anything|something) running|report|how many (?:steps )?(?:are )?(?:left|done|remaining)|percent(?:age)?|you there',
    'wie weit(?: (?:ist (?:es|das|er)|bist du|sind wir|seid ihr))?|wie (?:steht|lauft|gehts|geht) (?:es|das)? ?(?:voran|damit)?|wie ist der (?:stand|status)|stand|stand der dinge|fortschritt|lauft (?:es|das)|(?:gibt es|gibts) (?:etwas |was )?neues|was ist los|was lauft|was passiert(?: gerade)?|wo (?:bist du|stehen wir|stehst du)',
    'como va(?: (?:todo|eso|la tarea|el trabajo))?|como vas|que tal va|(?:cual es el )?(?:estado|progreso)|hay novedades|novedades|que esta pasando|que pasa|sigues ahi|ou en (?:es tu|est on|est ce|sommes nous)|(?:cest|on en est) ou|tu en es ou|ou ca en est|ca avance|comment ca (?:avance|se passe)|quoi de neuf|avancement|quest ce qui se passe',
    'como (?:esta|vai)(?: (?:indo|isso|o trabalho|a tarefa))?|em que (?:pe|ponto) (?:esta|estamos)|(?:qual (?:e )?o )?(?:andamento|progresso)|alguma novidade|o que esta acontecendo|ainda esta (?:rodando|ai)|как (?:дела|там|идет|продвигается|успехи|оно)(?: (?:дела|идет|работа))?|(?:какои )?(?:статус|прогресс)|что происходит|что нового|на сколько готово|ты (?:тут|здесь|работаешь)|работает',
  ],
}

type Question = { about: Topic; pattern: RegExp }

const questions: Question[] = Object.entries(asked).flatMap(([about, sources]) =>
  sources.flatMap((source) => compilePhrases(source).map((pattern) => ({ about: about as Topic, pattern }))),
)

export type Asked = { about: Topic; target: Target }

/** What a text without politeness asks about a run; null when it asks something else. Pure. */
export function readQuestion(words: string): Asked | null {
  for (const { about, pattern } of questions) {
    const groups = pattern.exec(words)?.groups
    if (!groups) continue
    const target = targetIn(groups)
    if (target) return { about, target }
  }
  return null
}
