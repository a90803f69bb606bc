export type Small = 'hello' | 'thanks' | 'bye' | 'praise' | 'yes' | 'no' | 'fine' | 'sorry' | 'complaint'
export type HelpTopic =
  | 'all'
  | 'who'
  | 'approve'
  | 'stop'
  | 'pause'
  | 'machine'
  | 'log'
  | 'place'
  | 'model'
  | 'retry'

const small: Record<Small, RegExp> = {
  hello:
    /^(?:(?:hi|hello|hey|hiya|heya|yo|howdy|greetings|hallo|servus|moin|moin moin|gruss gott|hola|buenas|buenos dias|buenas (?:tardes|noches)|bonjour|salut|coucou|bonsoir|ola|oi|bom dia|boa (?:tarde|noite)|привет|здравствуи|здравствуите|добрыи (?:день|вечер)|доброе утро|good (?:morning|day|evening|afternoon)|guten (?:morgen|tag|abend)|start)(?: (?:there|bot|skynet|again|all|everyone|you))*|how are you(?: doing)?|how do you do|whats up|sup|wie gehts(?: dir)?|wie geht es dir|como estas|que tal|comment (?:ca va|vas tu|allez vous)|ca va|tudo bem|como voce esta|как ты)$/,
  thanks:
    /^(?:(?:many |lots of |ok |okay |great |perfect |good |nice |cool |yes )?(?:thanks?|thank you|thankyou|thanx|thx|ty|tysm|cheers|much appreciated|appreciated|danke|danke schon|dankeschon|vielen dank|besten dank|merci|merci beaucoup|grazie|gracias|muchas gracias|mil gracias|obrigad[oa]|muito obrigad[oa]|valeu|спасибо|спасибо большое|большое спасибо|благодарю)(?: (?:you|so much|very much|a lot|again|bot|skynet|that helps?|for (?:the help|that|this|your help|everything)|man|mate|all|everyone|dir|sehr|vielmals|bien))*)$/,
  bye: /^(?:bye|bye bye|goodbye|good night|gn|see you(?: later| tomorrow)?|see ya|later|cya|so long|tschuss|tschau|ciao|bis (?:spater|bald|morgen)|gute nacht|adios|hasta (?:luego|manana|pronto)|chau|au revoir|a plus|a bientot|bonne nuit|tchau|ate (?:logo|mais|amanha)|пока|до свидания|до завтра|спокоинои ночи)$/,
  praise:
    /^(?:(?:that is |thats |this is |you are |youre |its |it is |very |really |so )*(?:good|great|nice|awesome|amazing|perfect|excellent|cool|super|brilliant|wonderful|fantastic|lovely|beautiful|impressive|neat|sweet|wow|bravo|yay|hooray|the best|works|it works)(?: (?:job|work|one|stuff|bot|skynet|indeed|now|then))*|well done|good (?:bot|boy|job|work)|nicely done|love it|i love it|sehr gut|gut gemacht|toll|prima|klasse|spitze|wunderbar|genial|muy bien|bien hecho|perfecto|excelente|estupendo|tres bien|bien joue|parfait|genial|muito bem|otimo|perfeito|legal|молодец|отлично|супер|здорово|круто|хорошо|haha+|lol|lmao)$/,
  yes: /^(?:y|yes|yes please|yeah|yep|yup|sure|sure thing|of course|absolutely|definitely|ja|ja bitte|jawohl|klar|si|claro|oui|bien sur|sim|com certeza|да|конечно|ага)$/,
  no: /^(?:n|no|no thanks|no thank you|nope|nah|not now|nein|nein danke|ne|no gracias|non|non merci|nao|nao obrigado|нет|нет спасибо|не надо)$/,
  fine: /^(?:ok|okay|okey|k|kk|oki|alright|all right|fine|got it|gotcha|understood|i see|aha|ah|oh|hm+|mhm|right|noted|roger|no problem|no worries|np|alles klar|verstanden|passt|in ordnung|gut|vale|entendido|bueno|dac|compris|bien|ok merci|entendi|beleza|certo|ta bom|понял|поняла|понятно|ладно|ок|окей|океи|ясно)$/,
  sorry:
    /^(?:sorry|im sorry|my bad|oops|ups|whoops|excuse me|pardon|entschuldigung|sorry about that|tut mir leid|perdon|lo siento|desole|pardon|desculpe?|desculpa|foi mal|извини|извините|прости)$/,
  complaint:
    /^(?:oh no|damn|dammit|shit|fuck|wtf|what the (?:hell|fuck)|argh+|ugh+|what|huh|omg|mist|verdammt|scheisse|mierda|joder|merde|zut|droga|merda|черт|блин)$/,
}

const help: Record<HelpTopic, RegExp> = {
  who: /^(?:(?:who|what) are you|whats your name|what is your name|are you (?:a |an )?(?:bot|human|robot|person|ai|real|chatgpt|gpt|llm|machine)|what is (?:this|skynet)|who (?:made|built) you|wer bist du|was bist du|quien eres|que eres|qui es tu|quem e voce|кто ты|что ты такое)$/,
  approve:
    /^how (?:do|can|should|would) (?:i|we|you) (?:approve|allow|deny|reject|accept)(?: (?:it|this|that|something|a plan|the plan|plans|a run|things))?$|^how (?:do|does) approvals? work$|^how does approval work$|^how do i give approval$/,
  stop: /^how (?:do|can|should) (?:i|we|you) (?:stop|cancel|abort|kill|end)(?: (?:it|this|that|something|a run|the run|runs|a job|a task|everything))?$/,
  pause:
    /^how (?:do|can|should) (?:i|we|you) (?:pause|resume|continue)(?: (?:it|this|that|something|a run|the run|runs|a job|a task|everything))?$/,
  retry:
    /^how (?:do|can|should) (?:i|we|you) (?:retry|repeat|rerun)(?: (?:it|this|that|a run|the run|a step|the step))?$/,
  machine:
    /^how (?:do|can|should) (?:i|we|you) (?:add|connect|join|enrol|enroll|register|remove|revoke)(?: (?:a|an|another|my|new|a new|the))? (?:machine|computer|server|laptop|agent|worker|device)s?$|^(?:can|could) i (?:add|connect) (?:a|an|another|my|a new) (?:machine|computer|server|laptop|agent)$/,
  log: /^how (?:do|can|should) (?:i|we|you) (?:see|get|read|view|find) (?:the |its |a )?(?:logs?|output|result|results)$|^where (?:do i (?:see|find|get)|are) (?:the )?(?:logs?|output)$/,
  place:
    /^how (?:do|can|should) (?:i|we|you) (?:choose|set|change|select|switch|pick|say)(?: the| my| where| another| which)? ?(?:place|directory|folder|machine|repo|repository|project|you work|it works|it runs)?$/,
  model:
    /^(?:(?:which|what) (?:model|llm|ai)(?: (?:is this|do you use|are you using|are you))?|(?:do i|do you) need (?:a |an )?(?:model|llm|key|api key|ai|provider)|how (?:do|can) i (?:add|set|use|configure) (?:a |an |my )?(?:model|llm|key|api key|provider))$/,
  all: /^(?:help|help me|i need help|can you help(?: me)?|what can (?:you|i|we) (?:do|say|ask|write|use)(?: (?:here|for me|with this))?|what do you (?:do|understand|know)|what (?:commands?|features?) (?:are there|do you (?:have|know|understand))|(?:list |show )?(?:me )?(?:the |your |all )?commands|how (?:does|do) (?:this|it|that|you|skynet|the bot) work|how (?:do|can) (?:i|we) (?:use|start|begin)(?: (?:this|it|that|you|skynet|the bot|something|a run))?|what now do i do|instructions|manual|usage|hilfe|hilf mir|was kannst du(?: alles| tun)?|wie (?:geht|funktioniert) (?:das|es)|ayuda|ayudame|que puedes hacer|como funciona(?: esto)?|aide|aide moi|que peux tu faire|comment ca (?:marche|fonctionne)|ajuda|me ajuda|o que voce (?:pode fazer|faz)|como (?:isso )?funciona|помощь|помоги|что ты умеешь|как это работает)$/,
}

/** Small talk of a whole text; null when it is none. Pure. */
export const readSmall = (words: string): Small | null =>
  (Object.entries(small).find(([, pattern]) => pattern.test(words))?.[0] as Small | undefined) ?? null

/** What help a whole text asks for; null when it asks for none. Pure. */
export const readHelp = (words: string): HelpTopic | null =>
  (Object.entries(help).find(([, pattern]) => pattern.test(words))?.[0] as HelpTopic | undefined) ?? null

const machinesWords =
  /^(?:(?:show |list )?(?:me )?(?:my |the |your |all )*(?:machines|agents|workers)|(?:which|what) (?:machines|agents|computers) (?:are (?:there|online|connected|ready|up)|do (?:i|we) have|can you (?:use|reach))|are (?:my |the |all )*(?:machines|agents) (?:online|connected|up|ok|there)|(?:meine |die |welche )?(?:maschinen|rechner)|(?:mis |las )?maquinas|(?:mes |les )machines|(?:minhas |as )maquinas|(?:мои )?машины)$/

export const asksForMachines = (words: string): boolean => machinesWords.test(words)
